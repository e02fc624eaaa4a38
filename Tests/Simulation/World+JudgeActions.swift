// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import SchedulerCore

/// Checks of orders, reports, replies and events.
extension World {
    mutating func judgeOrder(_ order: Order, _ taskClass: TaskClass) {
        guard case .run(let order) = order, order.taskType != taskClass.canaryType else { return }
        guard let attempt = store.attempts[order.attempt.value], attempt.isRunning,
            attempt.execution == order.executionID, attempt.number == order.attemptNumber,
            let row = store.executions[order.executionID], row.plannedAt == order.occurrence
        else {
            return judge.violate(
                .orders, "the order of attempt \(order.attempt.value) is not what the store says")
        }
        let number = TaskSpec.number(in: order.config)
        let isOwn = judge.history[row.task.uid]?.contains(number) == true
        if order.taskID != row.task.id.text || !isOwn
            || order.taskType != scenario.specs[number].type
        {
            judge.violate(
                .identity, "\(row.task) runs #\(number), which another task of its name is")
        }
    }

    /// A worker begins an attempt.
    mutating func judgeBegin(_ order: AttemptOrder, _ taskClass: TaskClass) {
        let settings = core.settings
        let own = workers[Int(taskClass.rawValue)]
        let all = workers.reduce(0) { $0 + $1.running.count }
        if all >= settings.maximumConcurrency {
            judge.violate(.places, "\(all + 1) run, \(settings.maximumConcurrency) may")
        }
        if let limit = settings.classConcurrency[taskClass], own.running.count >= limit {
            judge.violate(
                .places, "\(own.running.count + 1) of class \(taskClass.name) run, \(limit) may")
        }
        if own.running.count >= own.capacity {
            judge.violate(
                .places,
                "\(own.running.count + 1) run in worker \(taskClass.name) of \(own.capacity)")
        }
        for key in own.running {
            guard let other = runs[key], !other.isOver, other.order.taskID == order.taskID else {
                continue
            }
            let mayOverlap = [other.order.executionID, order.executionID].contains { id in
                (store.executions[id].flatMap { judge.history[$0.task.uid] } ?? []).contains {
                    scenario.specs[$0].policies.overlap == .allow
                }
            }
            if !mayOverlap {
                judge.violate(
                    .overlap,
                    "\(order.taskID) runs as \(other.order.executionID) and as "
                        + order.executionID)
            }
        }
    }

    mutating func judgeReport(_ delivery: Delivery, _ before: WorkerState, _ taskClass: TaskClass) {
        guard delivery.isDeviating, before == .ready else { return }
        if core.worker(taskClass).isReady {
            judge.violate(
                .protocolKept, "worker \(taskClass.name) broke the protocol and is still heard")
        }
    }

    /// A request is heard.
    mutating func judgeRequest(_ call: Call) {
        switch call {
        case .delete(let name), .cancel(let name, _), .setEnabled(let name, _):
            judge.touched[name] = now
        case .update(let number): judge.touched[scenario.specs[number].name] = now
        case .cancelExecution:
            for name in Scenario.names { judge.touched[name] = now }
            for number in scenario.builtIns { judge.touched[scenario.specs[number].name] = now }
        case .create, .run, .retryLetter, .purgeLetter, .purgeLetters, .stop: break
        }
    }

    mutating func judgeReply(_ id: RequestID, _ reply: Reply) {
        guard let asked = judge.asked.removeValue(forKey: id), asked.isHeard else {
            return judge.violate(.oneReply, "request \(id) has a second reply: \(reply)")
        }
        judgeRequest(asked.call)
        if case .refused = reply {
            guard let number = asked.number else { return }
            judge.refusedNumbers.insert(number)
            if judge.usedNumbers.contains(number) {
                judge.violate(.refused, "#\(number) was refused, and is in the store")
            }
            return
        }
        var isSo = false
        switch (asked.call, reply) {
        case (.create(let number), .task(let key, _)), (.update(let number), .task(let key, _)):
            isSo = judge.history[key.uid]?.contains(number) == true
            judge.expected[key.uid] = scenario.specs[number].isEnabled
        case (.setEnabled(_, let isEnabled), .task(let key, _)):
            isSo = judge.history[key.uid] != nil
            judge.expected[key.uid] = isEnabled
        case (.delete(let name), .deleted): isSo = store.rows[name]?.isDeleted == true
        case (.run, .execution(let execution, _, _)),
            (.retryLetter, .execution(let execution, _, _)):
            isSo = judge.requested.contains(execution)
        case (.purgeLetter, .purged):
            if case .purgeDeadLetter(let letter) = asked.pending.request {
                isSo = store.letters[letter] == nil
            }
        case (.purgeLetters, .purged), (.stop, .stopping), (.cancel, .cancelled),
            (.cancelExecution, .cancelled):
            isSo = true
        default: break
        }
        if !isSo {
            judge.violate(.answered, "request \(id) \(asked.call) was answered \(reply)")
        }
    }

    mutating func judgePublished(_ published: Published) {
        let isSo: Bool
        switch published {
        case .started(let subject, _, _, _):
            let attempt = attempt(of: subject)
            isSo = attempt.map { $0.isConfined || !$0.isRunning } ?? true
        case .finished(let subject, _, _, _, _):
            isSo = store.executions[subject.execution]?.state == .ended
        case .retry(let subject, _, _, _): isSo = attempt(of: subject)?.isRunning != true
        case .deadLetter(let subject, _): isSo = store.buried.contains(subject.execution)
        case .deferred(let subject, let at, _), .skipped(let subject, let at, _):
            isSo = judge.namedRows.contains(OccurrenceKey(uid: subject.task.text, at: at))
        case .progress, .log, .health, .worker: isSo = true
        }
        if !isSo { judge.violate(.eventAfterCommit, "\(published) is not in the store") }
    }

    private func attempt(of subject: Published.Subject) -> StoreModel.AttemptRow? {
        guard let key = judge.latestAttempt[subject.execution], let attempt = store.attempts[key],
            Int(attempt.number) == subject.attempt
        else { return nil }
        return attempt
    }

    mutating func judgeEnd(_ status: Int32) {
        judgeStop()
        guard status == 0, core.waitingChanges == 0 else { return }
        if let id = judge.asked.filter({ $0.value.isHeard }).keys.min(), let asked = judge.asked[id]
        {
            judge.violate(.oneReply, "request \(id) \(asked.call) was never answered")
        }
    }

    private mutating func judgeStop() {
        guard let begun = judge.stopBegun else { return }
        let bound = core.settings.stopPatience.span + core.settings.stopPatience.span
        let isDone = core.running == 0 && core.waitingChanges == 0 && writer.batches.isEmpty
        if !isDone || !isUp { judge.stopIdleSince = nil }
        if isDone, judge.stopIdleSince == nil { judge.stopIdleSince = judge.turns }
        if let since = judge.stopIdleSince, judge.turns - since > 3, core.stop != .running {
            judge.violate(.stopEnds, "nothing runs or waits any more, and the stop does not end")
        }
        if now - begun > bound + .seconds(5) + judge.excused {
            judge.violate(.stopEnds, "the stop has taken \(now - begun)")
        }
    }
}

// MARK: - After a turn

extension World {
    mutating func judgeTurn() {
        judgeStop()
        if core.waitingChanges == 0, !core.isBusy, writer.batches.isEmpty,
            judge.turns % 16 == 0 || judge.quiet != nil
        {
            judgeAgreement()
        }
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
                    .workersReady, "class \(worker.taskClass.name): \(core.words(of: worker))")
            }
        }
        if judge.turns % 8 == 0 { judgeLiveness() }
        if !judge.isQuietJudged, now >= quiet.end - .minutes(2) {
            judge.isQuietJudged = true
            judgeInstants(quiet)
        }
    }

    /// An order that may leave comes to its worker.
    private mutating func judgeUnread() {
        for taskClass in TaskClass.allCases {
            let index = Int(taskClass.rawValue)
            let worker = core.worker(taskClass)
            let isOpen =
                worker.isReady && !worker.isBlocked && now >= workers[index].hangsUntil
                && now >= workers[index].pipeFullUntil
            if !isOpen { judge.openSince[index] = .never }
            if isOpen, judge.openSince[index] == .never { judge.openSince[index] = now }
        }
        var unread: [UInt64: Span] = [:]
        for execution in core.executions.values where execution.state == .running {
            guard let key = execution.attempt?.key.value, runs[key] == nil else { continue }
            let since = judge.unread[key] ?? now
            unread[key] = since
            let openSince = judge.openSince[Int(execution.taskClass.rawValue)]
            if openSince < .never, now - max(since, openSince) > .minutes(1) {
                judge.violate(.orders, "the order of attempt \(key) never came to its worker")
            }
        }
        judge.unread = unread
    }

    private mutating func judgeAgreement() {
        let known = core.tasks.values.filter { !$0.isBeingMade }
        let rows = store.rows.values.filter { !$0.isDeleted }.sorted { $0.task.id < $1.task.id }
        if known.count != rows.count || core.tasks.count != known.count {
            judge.violate(
                .agreement, "the core has \(core.tasks.count) tasks, the store \(rows.count)")
        }
        for row in rows {
            guard let task = core.tasks[row.task.id], task.key == row.task.key else {
                judge.violate(.agreement, "\(row.task.id) is another task in the store")
                continue
            }
            if task.record.enabled != row.task.enabled || task.record.policies != row.task.policies
            {
                judge.violate(.agreement, "\(row.task.id) has another definition in the store")
            }
            if task.record.nextRun != row.task.nextRun {
                judge.violate(
                    .agreement,
                    "\(row.task.id) is due \(task.record.nextRun as Any), in the store "
                        + "\(row.task.nextRun as Any)")
            }
            if judge.asked.isEmpty, let enabled = judge.expected[row.task.key.uid],
                row.task.enabled != enabled
            {
                judge.violate(
                    .answered, "\(row.task.id) was answered to be enabled: \(enabled), and is not")
            }
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

    /// Every instant of the quiet was looked at in its time.
    private mutating func judgeInstants(_ quiet: Scenario.Quiet) {
        guard let warm = judge.warmWall, core.settings.isEnabled else { return }
        for id in store.rows.keys.sorted() {
            guard let row = store.rows[id], !row.isDeleted, row.task.enabled,
                let table = scenario.table(of: row.task)
            else { continue }
            let jitter = Planner.jitter(of: id, policies: table.policies)
            let last = wall - jitter - .seconds(120)
            var instant = table.next(after: warm)
            while let at = instant, at <= last {
                instant = table.next(after: at)
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
