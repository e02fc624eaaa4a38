// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import SchedulerCore

/// Checks of what is written.
extension World {
    private func specs(of uid: String) -> [TaskSpec] {
        (judge.history[uid] ?? []).map { scenario.specs[$0] }
    }

    /// A batch leaves for the store.
    mutating func judgeWrite(_ changes: [StoreChange]) {
        for change in changes {
            switch change {
            case .claim(let claim) where !claim.trigger.isRequested:
                // Only what was decided now: the load may be another since.
                // One of before a step back is not ahead either.
                let lead = claim.at - judge.handledAt
                let isAhead =
                    lead > .zero && lead <= core.settings.claimAhead && core.storeFailure == nil
                if claim.at == judge.handledAt || isAhead && writer.batches.isEmpty {
                    judgeGate(claim)
                }
            case .endAttempt(let end): judgeEnd(end)
            default: break
            }
        }
    }

    private mutating func judgeGate(_ claim: Claim) {
        let specs = specs(of: claim.task.uid)
        let isIdleOnly = !specs.isEmpty && specs.allSatisfy(\.policies.idleOnly)
        switch load.told {
        case .notYet:
            let age = now - judge.lifeBegan
            if isIdleOnly || age < core.settings.loadPatience.span - .milliseconds(1) {
                judge.violate(.loadKnown, "\(claim.task) starts though no load is known")
            }
        case .unknowable: break
        case .known(let load):
            guard isIdleOnly else { return }
            let limits = core.settings.thresholds
            if load.cpu > limits.idleCPU || load.memory > limits.idleMemory {
                judge.violate(.idleOnly, "\(claim.task) starts at \(load)")
            }
        }
    }

    private mutating func judgeEnd(_ end: AttemptEnd) {
        let key = end.attempt.value
        let run = runs[key]
        if let exit = end.exit {
            guard let run, run.isOver, run.exit == exit else {
                return judge.violate(
                    .reportsTrue, "attempt \(key) is ended by a report that is not true")
            }
        } else if end.outcome.reason == .workerDied, let run, !run.isOver {
            judge.violate(.reportsTrue, "the worker of attempt \(key) is not dead")
        }
        judgeOwner(end)
        judgeUnbegun(end)
        guard case .ended = end.next, let attempt = store.attempts[key],
            let row = store.executions[attempt.execution], let exit = end.exit
        else { return }
        switch end.outcome.kind {
        case .failedTransient, .timedOut: break
        case .killed where end.outcome.reason == .signal: break
        default: return
        }
        let policies = specs(of: row.task.uid).map(\.policies)
        guard store.present(row.task.uid) != nil, !policies.isEmpty,
            !policies.contains(where: { $0.overlap == .cancelOld }),
            judge.touched[row.task.id].map({ $0 < judge.claimedAt[attempt.execution] ?? .zero })
                ?? true, exit.cause != .cancelled(.shutdown), exit.cause != .cancelled(.requested)
        else { return }
        let least = 1 + (policies.map(\.retry.count).min() ?? 0)
        if Int(attempt.number) < least {
            judge.violate(
                .attempts,
                "\(row.task) ends as \(end.outcome) after \(attempt.number) of \(least) attempts")
        }
    }

    /// What never began is not over because its worker or its scheduler ended.
    private mutating func judgeUnbegun(_ end: AttemptEnd) {
        let key = end.attempt.value
        guard case .ended = end.next, !judge.ordered.contains(key),
            end.outcome.reason == .workerDied || end.outcome.reason == .shutdown,
            let attempt = store.attempts[key], let row = store.executions[attempt.execution],
            store.present(row.task.uid) != nil
        else { return }
        judge.violate(.attempts, "\(row.task) is over as \(end.outcome) and never began")
    }

    /// What the scheduler's death interrupted goes on as its own task says, or is over with it.
    private mutating func judgeOwner(_ end: AttemptEnd) {
        // The search for what a damaged page stops may write a delete before an end that was decided
        // before it.
        guard !judge.isDamaged, let attempt = store.attempts[end.attempt.value], attempt.isRunning,
            let row = store.executions[attempt.execution]
        else { return }
        if end.outcome.reason == .schedulerDied, store.present(row.task.uid) == nil {
            judge.violate(
                .identity, "\(attempt.execution) is taken for another task named \(row.task)")
        }
    }

    /// A change is about to be written.
    mutating func judgeBefore(_ change: StoreChange) {
        if case .unclaim(let attempt, _, _) = change { judge.takenBack = claimed(by: attempt) }
        let (key, next): (TaskKey, Instant?)
        switch change {
        case .setNextRun(let of, let to): (key, next) = (of, to)
        case .updateTask(let task): (key, next) = (task.key, task.nextRun)
        default: return
        }
        guard let row = store.present(key.uid), row.task.enabled, !row.isReplanned,
            let from = row.task.nextRun
        else { return }
        if let next, next <= from { return }
        if case .updateTask(let task) = change, isPlannedAnew(row.task, by: task) { return }
        guard let table = scenario.table(of: row.task) else { return }
        judge.moved.append((key, from, next, table))
    }

    private func isPlannedAnew(_ task: StoredTask, by new: StoredTask) -> Bool {
        new.schedule != task.schedule || new.timezone != task.timezone
            || new.enabled != task.enabled
            || scenario.table(of: new)?.policies.dst != scenario.table(of: task)?.policies.dst
    }

    /// A change was written, or did not apply.
    mutating func judgeAfter(_ change: StoreChange, _ outcome: StoreOutcome) {
        switch (change, outcome) {
        case (.createTask(let task), .done), (.updateTask(let task), .done):
            let number = TaskSpec.number(in: task.policies)
            judge.history[task.key.uid, default: []].append(number)
            judge.usedNumbers.insert(number)
            if judge.refusedNumbers.contains(number) {
                judge.violate(.refused, "\(task.id) is #\(number), which was refused")
            }
        case (.claim(let claim), .claimed(let attempt, _)):
            judgeClaim(claim)
            judge.latestAttempt[claim.executionID] = attempt.value
            judge.claimedAt[claim.executionID] = now
            noteRow(claim.task, claim.plannedAt)
            noteReboot(claim.task, claim.plannedAt, claim.trigger)
            if claim.trigger.isRequested { judge.requested.insert(claim.executionID) }
        case (.deferral(let key, let at, _, let trigger, let execution, _), .done):
            noteRow(key, at)
            noteReboot(key, at, trigger)
            if trigger.isRequested { judge.requested.insert(execution) }
        case (.occurrence(let key, let at, _, _, _), _): noteRow(key, at)
        case (.retry(let execution, _), .claimed(let attempt, let number)):
            judge.latestAttempt[execution] = attempt.value
            guard let row = store.executions[execution] else { return }
            let policies = specs(of: row.task.uid).map(\.policies)
            let most = policies.map { max($0.retry.count, $0.onCrash == .rerun ? 1 : 0) }.max() ?? 0
            if Int(number) > most + 1 {
                judge.violate(.attempts, "\(row.task) has attempt \(number) of \(most + 1)")
            }
        case (.unclaim(let attempt, _, _), .done):
            if judge.ordered.contains(attempt.value) {
                judge.violate(.orders, "attempt \(attempt.value) is taken back, and was ordered")
            }
            // Where the clock is set back, an instant that did not run after all may.
            if let instant = judge.takenBack { judge.ran[instant] = nil }
        default: break
        }
    }

    /// The instant that an execution's first attempt was claimed for.
    private func claimed(by attempt: AttemptKey) -> OccurrenceKey? {
        guard let row = store.attempts[attempt.value], row.number == 1,
            let execution = store.executions[row.execution]
        else { return nil }
        return OccurrenceKey(uid: execution.task.uid, at: execution.plannedAt)
    }

    private mutating func noteRow(_ key: TaskKey, _ at: Instant) {
        judge.decidedAt[OccurrenceKey(uid: key.uid, at: at)] = now
        judge.namedRows.insert(OccurrenceKey(uid: key.id.text, at: at))
    }

    private mutating func noteReboot(_ key: TaskKey, _ at: Instant, _ trigger: ExecutionTrigger) {
        let specs = specs(of: key.uid)
        guard !trigger.isRequested, specs.allSatisfy({ $0.schedule.kind == .reboot }) else {
            return
        }
        guard judge.rebootSeen.insert(OccurrenceKey(uid: key.uid, at: at)).inserted else { return }
        let boot = key.uid + judge.bootID
        judge.rebootCount[boot, default: 0] += 1
        if judge.rebootCount[boot, default: 0] > 1 {
            judge.violate(.reboot, "\(key) starts a second time in one boot")
        }
    }

    private mutating func judgeClaim(_ claim: Claim) {
        let key = OccurrenceKey(uid: claim.task.uid, at: claim.plannedAt)
        if let other = judge.ran[key], other != claim.executionID {
            judge.violate(.instantRunsOnce, "\(claim.task) \(claim.plannedAt) is claimed twice")
        }
        judge.ran[key] = claim.executionID
        guard !claim.trigger.isRequested, let row = store.present(claim.task.uid) else { return }
        let isPlanned = specs(of: claim.task.uid).contains { spec in
            if spec.schedule.kind == .reboot { return true }
            let before = claim.plannedAt - .microseconds(1)
            if let walked = spec.walked(after: before, to: claim.plannedAt) {
                return walked == [claim.plannedAt]
            }
            let table = spec.table(createdAt: row.task.createdAt)
            return table.next(after: before) == claim.plannedAt
        }
        if !isPlanned {
            judge.violate(
                .claimIsPlanned,
                "\(claim.task) runs at \(claim.plannedAt), which is no instant of its schedule")
        }
    }

    /// Whether rows may be missing: of what a damaged page took, and the scheduler gave up.
    var mayLackRows: Bool { judge.isDamaged && !core.storeDamages.isEmpty }

    /// A batch was written: every instant that a plan passed has its row.
    mutating func judgeBatch(_ latest: Instant, mayLackRows: Bool) {
        guard !judge.moved.isEmpty else { return }
        guard !mayLackRows else { return judge.moved = [] }
        for (key, from, to, table) in judge.moved {
            let jitter = Planner.jitter(of: key.id, policies: table.policies)
            let now = latest - jitter
            guard from <= now + core.settings.claimAhead else {
                judge.violate(
                    .instantHasRow, "\(key) goes on from \(from) before its time, to \(to as Any)")
                continue
            }
            let window = table.policies.catchUpWindow
            if let second = table.next(after: from), (second - from) * Planner.listCap < window,
                now - from > (second - from) * Planner.listCap
            {
                // More than are listed may have been missed; which, its moment alone tells.
                continue
            }
            let windowStart = now - window
            var instant: Instant? = from
            var missing: [Instant] = []
            var seen = 0
            // What is claimed ahead has its row before its time.
            while let at = instant, at <= max(now, from), to.map({ at < $0 }) ?? true, seen < 5000 {
                seen += 1
                if at == from || at >= windowStart,
                    store.occurrences[OccurrenceKey(uid: key.uid, at: at)] == nil
                {
                    missing.append(at)
                }
                instant = table.next(after: max(at, windowStart - .microseconds(1)))
            }
            if let first = missing.first {
                judge.violate(
                    .instantHasRow,
                    "\(key) passed \(missing.count) instants without a row, the first \(first)")
            }
        }
        judge.moved = []
    }
}
