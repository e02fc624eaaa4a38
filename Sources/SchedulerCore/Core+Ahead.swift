// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore

/// Claims ahead: what is sure to start at its instant is written as running a little before, so that
/// its order leaves when the instant comes and not when the store has written that it came.
///
/// Only where nothing is to be decided: a place is free, nothing of the task runs, waits or is being
/// changed, and its worker takes orders. Everything else is looked at when it is due.
extension SchedulerCore {
    /// Claims the next instants of tasks before they come, the most important first; those that
    /// must be looked at then are.
    mutating func fireAhead(_ keys: [TaskKey]) {
        let tasks = keys.compactMap { task($0) }.sorted {
            ($1.policies.priority, $0.dueAt ?? now.wall)
                < ($0.policies.priority, $1.dueAt ?? now.wall)
        }
        for task in tasks { fireAhead(task) }
    }

    private mutating func fireAhead(_ task: TaskState) {
        guard let due = task.dueAt, let instant = task.record.nextRun else { return }
        guard mayClaimAhead(task, instant) else {
            return wallTimers.set(task.key, at: due)
        }
        let next = task.table.next(after: instant)
        tasks[task.id]?.record.nextRun = next
        if !planted(.claimWithoutNextRun) { tellNextRun(of: task.key) }
        arm(task.id)
        var execution = Execution(
            id: ids.next(), task: task.key, worker: workerID(of: task), trigger: .schedule,
            plannedAt: instant, policies: task.policies)
        execution.startsAt = due
        execution.queuedAt = due
        add(execution)
        claim(execution.id)
    }

    /// Whether a task's next instant, with its jitter, is still to come.
    func isDueLater(_ key: TaskKey) -> Bool {
        task(key)?.dueAt.map { $0 > now.wall } ?? false
    }

    private func mayClaimAhead(_ task: TaskState, _ instant: Instant) -> Bool {
        guard let worker = workerID(of: task).map({ self.worker($0) }) else { return false }
        return stop == .running && settings.isEnabled && !task.isCreating && !task.isDeleting
            && task.changes.isEmpty && task.open.isEmpty && firstInLine(of: task.key) == nil
            && ending[task.id]?.isEmpty ?? true
            && repeatedUntil.map({ $0 < instant }) ?? true
            && ledger.failingSince == nil && !needsAdmission
            && worker.outbox.isEmpty && !worker.isBlocked
            && running < settings.maximumConcurrency && hasPlace(worker)
            && gate(task.policies.idleOnly ? .idle : .normal) == nil
    }

    /// The instant of an execution that was claimed ahead has come.
    mutating func startAtInstant(_ id: String) {
        guard let execution = executions[id], isAhead(execution) else { return }
        // What becomes of its task's removal decides.
        if task(execution.task)?.isDeleting == true { return }
        giveOrder(id)
    }

    /// A removal that failed lets go what waited for it.
    mutating func startAfterFailedRemoval(of key: TaskKey) {
        for id in (task(key)?.open ?? []).sorted() {
            guard let execution = executions[id], isAhead(execution) else { continue }
            startTimers.set(id, at: execution.startsAt)
        }
    }

    /// Whether an execution is claimed and its order waits for its instant.
    func isAhead(_ execution: Execution) -> Bool {
        execution.state == .running && execution.startsAt != nil
            && execution.attempt?.isSent == false
    }

    /// An execution no longer waits for its instant.
    mutating func forgetInstant(_ execution: Execution) {
        guard execution.startsAt != nil else { return }
        executions[execution.id]?.startsAt = nil
        startTimers.set(execution.id, at: nil)
    }

    /// Lets go what waits for its instant: the clock was set back, and the instant may be far now.
    mutating func startAllAhead() {
        let waiting = executions.values.filter { $0.startsAt != nil }
        for execution in waiting.sorted(by: { $0.id < $1.id }) {
            expectAgain(execution.plannedAt)
            // One that is being written leaves with its commit.
            if isAhead(execution) {
                giveOrder(execution.id)
            } else {
                executions[execution.id]?.startsAt = nil
            }
        }
    }

    /// Keeps what was claimed ahead of a task whose plan is another now, where that has its instant
    /// too, and ends it where not: it has not begun. Gives the instant that is kept.
    mutating func keepAhead(of task: TaskState, by definition: TaskDefinition) -> Instant? {
        var kept: Instant?
        for id in task.open.sorted() {
            guard let execution = executions[id], isAhead(execution) else { continue }
            let instant = execution.plannedAt
            if definition.record.enabled, definition.record.type == task.record.type,
                definition.table.next(after: instant - .microseconds(1)) == instant
            {
                kept = instant
            } else {
                end(id, .requested, isNow: false)
            }
        }
        return kept
    }
}
