// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoStore
import AicoWire

extension Scheduler {
    /// The reason of what ends because its task was deleted or does not open.
    private static let taskGone = "task_gone"

    /// Settles what the last scheduler left open: the store is the truth.
    ///
    /// An attempt that stands as running was interrupted: whether its order was ever sent cannot
    /// be known, so that only the task's `on_crash` can say whether to run it again.
    func recover() throws(StoreError) {
        for stored in try store.runningAttempts() {
            guard let execution = try store.execution(stored.executionID) else { continue }
            interrupt(stored, of: execution)
        }
        for execution in try store.waitingExecutions() where runs[execution.id] == nil {
            guard let run = resume(execution) else {
                let end = ExecutionEnd(
                    outcome: Outcome.Kind.cancelled.rawValue, success: false,
                    reason: Self.taskGone)
                journal.add(.endWaiting(execution: execution.id, at: now, end))
                continue
            }
            run.phase = .waiting(until: execution.retryAt ?? now)
            timers.set(.retry(execution.id), at: execution.retryAt ?? now)
        }
        for occurrence in try store.deferredOccurrences() {
            guard let id = try? TaskID(occurrence.taskID) else { continue }
            guard let entry = tasks[id], entry.task.enabled || occurrence.reason == "manual" else {
                journal.add(
                    .occurrence(
                        id, plannedAt: occurrence.plannedAt, .skipped, reason: Self.taskGone,
                        at: now))
                continue
            }
            let isCatchUp = occurrence.decidedAt - occurrence.plannedAt > Planner.grace
            let item = Waiting(
                entry: entry,
                trigger: occurrence.reason == "manual" ? .manual : isCatchUp ? .catchUp : .schedule,
                plannedAt: occurrence.plannedAt,
                executionID: occurrence.executionID ?? ExecutionID.make())
            item.recorded = .worker
            enqueue(item)
        }
    }

    private func interrupt(_ stored: StoredAttempt, of execution: StoredExecution) {
        var conclusion = Conclusion(Outcome(.interrupted, .schedulerDied))
        conclusion.message = "the scheduler ended under it"
        guard let run = resume(execution) else {
            let end = ExecutionEnd(
                outcome: Outcome.Kind.interrupted.rawValue, success: false,
                reason: Self.taskGone, errorMessage: conclusion.message)
            journal.add(
                .endAttempt(
                    AttemptEnd(
                        attempt: stored.key, at: now, outcome: end.outcome,
                        ending: conclusion.ending.serialized(), next: .ended(end))))
            return
        }
        let attempt = Attempt(
            key: stored.key, number: stored.number, run: run, startedAt: stored.startedAt)
        run.phase = .running(attempt)
        run.attempts = Int(stored.number)
        // `conclude` gives back a place; this one was taken by the scheduler before.
        running += 1
        pipe(run.taskClass).running += 1
        conclude(attempt, conclusion)
    }

    /// Takes an open execution of the store into memory; nil where its task is gone.
    private func resume(_ execution: StoredExecution) -> Run? {
        guard let id = try? TaskID(execution.taskID), let entry = tasks[id] else { return nil }
        let run = Run(
            executionID: execution.id, entry: entry, trigger: execution.trigger,
            plannedAt: execution.plannedAt, startedAt: execution.startedAt)
        run.attempts = execution.attempts
        runs[run.executionID] = run
        entry.open[run.executionID] = run
        return run
    }
}
