// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore

extension SchedulerCore {
    /// Sets a task's timer by its next run.
    mutating func arm(_ id: TaskID) {
        guard let task = tasks[id] else { return }
        let isAsleep = task.isCreating || task.isDeleting || !settings.isEnabled
        wallTimers.set(
            task.key, at: isAsleep ? nil : task.dueAt.map { $0 - settings.claimAhead })
    }

    /// Sets a task's next run to the first instant later than `after`, and its timer.
    mutating func plan(_ id: TaskID, after: Instant) {
        guard let task = tasks[id] else { return }
        tasks[id]?.record.nextRun = task.record.enabled ? task.table.next(after: after) : nil
        arm(id)
    }

    /// Sorts a task's due instants; each one gets a row, and those that run wait for a place.
    mutating func fire(_ key: TaskKey) {
        guard stop == .running, let task = task(key), task.record.enabled, !task.isDeleting,
            let from = task.record.nextRun
        else { return }
        // The jitter moves when the task is looked at, not what its instants are.
        let jitter = Planner.jitter(of: key.id, policies: task.policies)
        let plan = Planner.plan(
            task.table, from: from, now: now.wall - jitter, cap: settings.maximumCatchUp)
        let known = known(of: key, from: from)
        var changes: [StoreChange] = []
        if !planted(.instantDroppedInGap) {
            for missed in plan.notRun where !known.contains(missed.instant) {
                changes.append(
                    .occurrence(
                        key, plannedAt: missed.instant,
                        missed.reason == .coalesced ? .coalesced : .missed,
                        reason: missed.reason.rawValue, at: now.wall))
            }
        }
        tasks[key.id]?.record.nextRun = plan.next
        if !planted(.claimWithoutNextRun) { tellNextRun(of: key) }
        write(changes)
        arm(key.id)
        let isAll = task.policies.misfire == .runAll && plan.due.count > 1
        for due in plan.due where !known.contains(due.instant) {
            var execution = Execution(
                id: ids.next(), task: key, worker: workerID(of: task),
                trigger: due.isCatchUp ? .catchUp : .schedule, plannedAt: due.instant,
                policies: task.policies)
            execution.allowedAt = allowedAt(due.instant + jitter)
            enqueue(
                execution,
                cause: isAll || due.isCatchUp && task.policies.misfire == .runAll
                    ? .oneOfAll : .onTime)
            if planted(.catchUpStartsTwice), due.isCatchUp {
                let again = Execution(
                    id: ids.next(), task: key, worker: workerID(of: task), trigger: .catchUp,
                    plannedAt: due.instant + .microseconds(7), policies: task.policies)
                enqueue(again, cause: .oneOfAll)
            }
        }
    }

    /// Has the store told of a task's next run at the end of the turn.
    mutating func tellNextRun(of key: TaskKey) {
        guard task(key) != nil else { return }
        tasks[key.id]?.owesNextRun = true
        replanned.append(key)
    }

    /// Tells the store of the next runs that moved on: after the rows of what they passed, which it
    /// must have first where it cannot take all at once.
    ///
    /// Not while a change that plans anew is on its way: its next run must not be overwritten, and
    /// what it came to is written after it.
    mutating func writeNextRuns() {
        guard !replanned.isEmpty else { return }
        let moved = replanned
        replanned = []
        for key in moved {
            guard let task = task(key), task.owesNextRun, !task.isReplanning else { continue }
            tasks[key.id]?.owesNextRun = false
            write([.setNextRun(key, task.record.nextRun)])
        }
    }

    /// Instants of a task that wait or run: one that a clock passes again after it was set back is
    /// no second one.
    private func known(of key: TaskKey, from: Instant) -> Set<Instant> {
        guard let repeatedUntil, from <= repeatedUntil else { return [] }
        return Set(executions(of: key).map(\.plannedAt))
    }

    /// When the loop should have started something due at `instant`, by the boot clock: not before
    /// a step of the wall clock or a pause that hid its time.
    func allowedAt(_ instant: Instant) -> Duration {
        max(punctualSince, now.boot - max(.zero, now.wall - instant))
    }

    /// Puts something due where it waits, or records that it does not run.
    mutating func enqueue(_ execution: Execution, cause: Admission.Cause) {
        let id = execution.id
        add(execution)
        executions[id]?.queuedAt = now.wall
        guard let task = task(execution.task) else { return skip(id, "task_gone") }
        let waiting = byTask[execution.task]?.line.clock.count ?? 0
        let arrival =
            planted(.overlapIgnored)
            ? .beside
            : Admission.arrival(
                of: cause, policies: task.policies, open: task.open.count, waiting: waiting)
        switch arrival {
        case .skip(let refusal): return skip(id, refusal.rawValue)
        case .beside: break
        case .inLine: standInLine(id)
        case .instead:
            for other in byTask[execution.task]?.line.clock ?? Row() {
                skip(other, Admission.Refusal.superseded.rawValue)
            }
            standInLine(id)
            for open in task.open.sorted() { end(open, .superseded, isNow: false) }
        }
        fresh.append(id)
        place(id)
    }

    /// Has an execution wait until nothing of its task that is before it is open or waits.
    mutating func standInLine(_ id: String) {
        guard let execution = executions[id] else { return }
        executions[id]?.isInLine = true
        byTask[execution.task]?.line.append(id, isRequested: execution.trigger.isRequested)
    }

    /// Records that an instant does not run.
    mutating func skip(_ id: String, _ reason: String) {
        guard let execution = executions[id], move(id, .skip) else { return }
        write(
            [occurrence(execution, .skipped, reason)],
            publishing: [
                .skipped(execution.subject, plannedAt: execution.plannedAt, reason: reason)
            ])
        if let asked = execution.asked {
            refuse(asked, .conflict, "it does not run: \(reason)")
        }
        forget(id)
    }

    func occurrence(
        _ execution: Execution, _ disposition: OccurrenceDisposition, _ reason: String
    ) -> StoreChange {
        .occurrence(
            execution.task, plannedAt: execution.plannedAt, disposition, reason: reason,
            at: now.wall)
    }

    /// The time of an execution's next attempt has come.
    mutating func retryDue(_ id: String) {
        guard stop == .running, move(id, .due) else { return }
        executions[id]?.queuedAt = now.wall
        place(id)
        needsAdmission = true
    }
}
