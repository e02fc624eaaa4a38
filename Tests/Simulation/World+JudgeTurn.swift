// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import SchedulerCore

/// Checks after a turn: what the core has and the store has, and what may not last.
extension World {
    mutating func judgeTurn() {
        judgeStop()
        // What a damaged page took is not there until the next start, and that is told.
        if core.waitingChanges == 0, !core.isBusy, writer.batches.isEmpty,
            !judge.isDamaged,
            judge.hasCommitted || judge.turns % 16 == 0
        {
            judge.hasCommitted = false
            judgeAgreement()
        }
        noteOpen()
        if judge.turns % 8 == 0 { judgeUnread() }
        guard let quiet = judge.quiet, now >= quiet.begin else { return }
        guard now < quiet.end else {
            judge.quiet = nil
            return
        }
        guard now >= quiet.warm else { return relaunchDistrusted() }
        if judge.warmWall == nil {
            judge.warmWall = wall
            for worker in core.workers where !worker.isReady {
                judge.violate(
                    .workersReady, "\(worker.id): \(core.words(of: worker))")
            }
        }
        judgeUnwritten()
        if judge.turns % 8 == 0 { judgeLiveness() }
        if !judge.isQuietJudged, now >= quiet.end - .minutes(2) {
            judge.isQuietJudged = true
            judgeInstants(quiet)
        }
    }

    /// Notes since when each worker takes orders: in each turn, since a pipe that was full between
    /// two looks would count as open all the time.
    private mutating func noteOpen() {
        for workerID in scenario.workers {
            let index = workerID.number
            let worker = core.worker(workerID)
            let isOpen =
                worker.isReady && !worker.isBlocked && now >= workers[index].hangsUntil
                && now >= workers[index].pipeFullUntil
            if !isOpen { judge.openSince[index] = .never }
            if isOpen, judge.openSince[index] == .never { judge.openSince[index] = now }
        }
    }

    /// An order that may leave comes to its worker.
    private mutating func judgeUnread() {
        var unread: [UInt64: Span] = [:]
        for execution in core.executions.values where execution.state == .running {
            guard let key = execution.attempt?.key.value, runs[key] == nil else { continue }
            let since = judge.unread[key] ?? now
            unread[key] = since
            let openSince =
                core.workerID(of: execution).map { judge.openSince[$0.number] } ?? .never
            if openSince < .never, now - max(since, openSince) > .minutes(1) {
                judge.violate(.orders, "the order of attempt \(key) never came to its worker")
            }
        }
        judge.unread = unread
    }

    /// What is to be written is on its way to the disk.
    private mutating func judgeUnwritten() {
        guard core.waitingChanges > 0, writer.batches.isEmpty else {
            judge.unwrittenSince = nil
            return
        }
        let since = judge.unwrittenSince ?? now
        judge.unwrittenSince = since
        // Nor does the loop go to sleep over it.
        let wake = core.wake
        let time = time
        let naps = [wake.boot.map { $0 - time.boot }, wake.wall.map { $0 - time.wall }]
        let nap = naps.compactMap { $0 }.min() ?? core.settings.longestSleep
        if now - since > .seconds(2) || (nap > .seconds(2) && !core.isBusy) {
            judge.violate(
                .stuck, "\(core.waitingChanges) changes wait, and nobody writes them")
        }
    }

    private mutating func judgeAgreement() {
        judgeTasks()
        let counted = core.executions.values.count { $0.state == .queued }
        if counted != core.queued {
            judge.violate(.agreement, "\(counted) executions are queued, counted \(core.queued)")
        }
        var begun = 0
        var queued = 0
        // The first in order, so that one seed has one message.
        var wrong: String?
        for execution in core.executions.values {
            let isKnown: Bool
            if execution.attempts == 0 {
                queued += 1
                let key = OccurrenceKey(uid: execution.task.uid, at: execution.plannedAt)
                isKnown = store.occurrences[key]?.executionID == execution.id
            } else {
                begun += 1
                let state = store.executions[execution.id]?.state
                isKnown = state == .running || state == .waiting
            }
            if !isKnown {
                let words =
                    "\(execution.task) \(execution.plannedAt) \(execution.id) is "
                    + "\(execution.state), and not so in the store"
                wrong = min(wrong ?? words, words)
            }
        }
        if let wrong { judge.violate(.agreement, wrong) }
        if begun != store.running.count + store.waiting.count {
            let rows = store.running.sorted().compactMap { store.attempts[$0]?.execution }
            let lost = (rows + store.waiting.sorted()).first { core.executions[$0] == nil }
            judge.violate(
                .agreement,
                "\(begun) executions have begun, in the store \(rows.count) run and "
                    + "\(store.waiting.count) wait: \(lost?.prefix(8) ?? "")")
        }
        if queued != store.deferred.count {
            let lost = store.deferred.sorted().compactMap { store.occurrences[$0] }.first {
                core.executions[$0.executionID ?? ""].map { $0.attempts > 0 } ?? true
            }
            judge.violate(
                .agreement,
                "\(queued) executions wait, in the store \(store.deferred.count): "
                    + "\(lost?.taskID ?? "") \(lost?.plannedAt.iso8601 ?? "") "
                    + "\(lost?.executionID?.prefix(8) ?? "") \(lost?.trigger?.rawValue ?? "")")
        }
    }

    private mutating func judgeTasks() {
        // The first in order, so that one seed has one message.
        var wrong: (id: TaskID, check: Check, words: String)?
        func note(_ id: TaskID, _ check: Check, _ words: String) {
            if wrong.map({ id < $0.id }) ?? true { wrong = (id, check, words) }
        }
        var rows = 0
        for (id, row) in store.rows where !row.isDeleted {
            rows += 1
            guard let task = core.tasks[id], task.key == row.task.key else {
                note(id, .agreement, "\(id) is another task in the store")
                continue
            }
            if task.isBeingMade {
                note(id, .agreement, "\(id) is being made, and is in the store")
            } else if task.record.enabled != row.task.enabled
                || task.record.policies != row.task.policies
            {
                note(id, .agreement, "\(id) has another definition in the store")
            } else if task.record.nextRun != row.task.nextRun {
                note(
                    id, .agreement,
                    "\(id) is due \(task.record.nextRun as Any), in the store "
                        + "\(row.task.nextRun as Any)")
            } else if judge.asked.isEmpty, let enabled = judge.expected[row.task.key.uid],
                row.task.enabled != enabled
            {
                note(id, .answered, "\(id) was answered to be enabled: \(enabled), and is not")
            }
        }
        if core.tasks.count != rows {
            judge.violate(
                .agreement, "the core has \(core.tasks.count) tasks, the store \(rows)")
        }
        if let wrong { judge.violate(wrong.check, wrong.words) }
    }

    private mutating func judgeLiveness() {
        guard core.stop == .running else {
            return judge.violate(.liveness, "the scheduler stops in quiet")
        }
        if let old = judge.asked.filter({ now - $0.value.at > .minutes(1) }).keys.min() {
            judge.violate(.oneReply, "request \(old) has no reply")
        }
        var since: [String: (state: String, at: Span)] = [:]
        for id in core.executions.keys.sorted() {
            guard let execution = core.executions[id] else { continue }
            let state = execution.state.rawValue
            var known = judge.since[id] ?? (state, now)
            if known.state != state { known = (state, now) }
            since[id] = known
            let age = now - known.at
            let bound: Span
            switch execution.state {
            case .claiming, .withdrawing, .ending, .over: bound = .seconds(10)
            case .running: bound = .minutes(10)
            case .waiting: bound = .minutes(12)
            case .queued:
                bound = core.blocker(of: execution) == .overlap ? .minutes(30) : .minutes(5)
            }
            if age > bound {
                judge.violate(
                    execution.state == .queued || execution.state == .running
                        || execution.state == .waiting ? .liveness : .stuck,
                    "\(execution.task) \(id) is \(state) for \(age): "
                        + core.blocker(of: execution).rawValue)
            }
        }
        judge.since = since
    }

    private func instants(
        of task: StoredTask, _ table: Planner.Timetable, after begin: Instant, to end: Instant
    ) -> [Instant] {
        guard begin < end else { return [] }
        let spec = scenario.specs[TaskSpec.number(in: task.policies)]
        if let walked = spec.walked(after: begin, to: end) { return walked }
        var instants: [Instant] = []
        while let next = table.next(after: instants.last ?? begin), next <= end {
            instants.append(next)
        }
        return instants
    }

    /// Every instant of the quiet was looked at in its time.
    private mutating func judgeInstants(_ quiet: Scenario.Quiet) {
        guard let warm = judge.warmWall, core.settings.isEnabled else { return }
        for id in store.rows.keys.sorted() {
            guard let row = store.rows[id], !row.isDeleted, row.task.enabled,
                let table = scenario.table(of: row.task)
            else { continue }
            let jitter = Planner.jitter(of: id, policies: table.policies)
            let last = wall - jitter - .seconds(120)
            for at in instants(of: row.task, table, after: warm, to: last) {
                let key = OccurrenceKey(uid: row.task.key.uid, at: at)
                guard let occurrence = store.occurrences[key] else {
                    judge.violate(.onTime, "\(id) \(at) was not looked at")
                    break
                }
                // The clock may have been here before.
                guard let decided = judge.decidedAt[key], decided >= quiet.warm else { continue }
                let late = occurrence.decidedAt - at - jitter
                let mayWait = table.policies.overlap != .allow
                if occurrence.disposition == .missed
                    || occurrence.disposition == .ran && late > .seconds(mayWait ? 1800 : 300)
                {
                    judge.violate(
                        .onTime, "\(id) \(at) is \(occurrence.disposition) \(late) late")
                }
            }
        }
    }
}
