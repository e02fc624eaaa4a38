// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore

extension SchedulerCore {
    /// Asks for the workers, takes up the tasks, settles what the last scheduler left open: the
    /// store is the truth.
    ///
    /// An attempt that stands as running was interrupted: whether its order was ever sent cannot
    /// be known, so that only the task's `on_crash` can say whether to run it again.
    mutating func recover(_ recovered: StartFacts) {
        for worker in workers { actions.append(.launchWorker(worker.id)) }
        damages = recovered.damages
        for damage in damages { log(.error, "the store is damaged", ["what": damage]) }
        for task in recovered.tasks where tasks[task.record.id] == nil {
            tasks[task.record.id] = TaskState(task)
        }
        taskIDs = TaskNames(sorted: tasks.keys.sorted())
        for (attempt, execution) in recovered.running { interrupt(attempt, of: execution) }
        for execution in recovered.waiting where executions[execution.id] == nil {
            resumeWaiting(execution)
        }
        for occurrence in recovered.deferred { resumeDeferred(occurrence) }
        for task in recovered.builtIns where tasks[task.record.id] == nil { createBuiltIn(task) }
        write([audit("scheduler", "scheduler.start", "", "")])
        let isBoot = recovered.isNewBoot || planted(.rebootAtEachStart)
        // With nothing else: a damaged page of others would keep it from being known, and before
        // what it starts: where that is written in parts, a crash between them starts nothing twice.
        if isBoot, !recovered.bootID.isEmpty {
            unnotedBoot = recovered.bootID
            noteBoot()
        }
        for id in taskIDs { begin(id, isBoot: isBoot) }
        log(.notice, "started", ["tasks": "\(tasks.count)"])
        assessHealth()
    }

    /// Has the store know this boot: what starts once a boot starts again with the next scheduler
    /// where it does not.
    mutating func noteBoot() {
        if let unnotedBoot { write([.noteBoot(unnotedBoot)], then: .noted) }
    }

    /// Starts a task's clock. What passed while down is due now; the misfire policy decides.
    private mutating func begin(_ id: TaskID, isBoot: Bool) {
        guard let task = tasks[id], task.record.enabled else { return }
        if task.table.schedule.kind == .reboot {
            guard isBoot, settings.isEnabled else { return }
            let boot = Execution(
                id: ids.next(), task: task.key, worker: workerID(of: task), trigger: .schedule,
                plannedAt: startedAt.wall, policies: task.policies)
            enqueue(boot, cause: .onTime)
        } else if let known = task.record.nextRun {
            // Later than the next instant from now: the clock was set back while down.
            if let next = task.table.next(after: now.wall), next < known {
                tasks[id]?.record.nextRun = next
                expectAgain(known)
                tellNextRun(of: task.key)
            }
            arm(id)
        } else {
            if case .at = task.table.schedule.kind, task.record.lastRun != nil { return }
            plan(id, after: now.wall)
            if tasks[id]?.record.nextRun != nil { tellNextRun(of: task.key) }
        }
    }

    private mutating func createBuiltIn(_ task: TaskDefinition) {
        var task = task
        task.record.key = TaskKey(id: task.record.id, uid: ids.next())
        task.record.nextRun = task.record.enabled ? task.table.next(after: now.wall) : nil
        var state = TaskState(task)
        state.isCreating = true
        insert(state)
        write([.createTask(task.record)], then: .created(task.record.key, nil))
    }

    /// The task that an execution or instant belongs to; nil where it is gone.
    private func owner(_ name: String, _ uid: String) -> TaskState? {
        guard let id = try? TaskID(name), let task = tasks[id] else { return nil }
        return task.key.uid == uid || planted(.oldIdentityResumed) ? task : nil
    }

    private mutating func interrupt(_ stored: StoredAttempt, of row: StoredExecution) {
        let message = "the scheduler ended under it"
        let key = AttemptKey(stored.key)
        guard let task = owner(row.taskID, row.taskUID) else {
            let outcome = Outcome(.interrupted, .taskGone)
            write([
                .endAttempt(
                    AttemptEnd(
                        attempt: key, at: now.wall, outcome: outcome, message: message,
                        next: .ended(ExecutionEnd(outcome: outcome, errorMessage: message))))
            ])
            return
        }
        var execution = resumed(row, of: task, state: .running)
        execution.attempts = Int(stored.number)
        execution.attempt = Execution.Attempt(key: key, number: stored.number)
        add(execution)
        attempts[key] = row.id
        tasks[task.id]?.open.insert(row.id)
        // `finish` gives back a place; this one was taken by the scheduler before.
        running += 1
        if let worker = workerID(of: execution) { workers[worker.number].running += 1 }
        finish(
            row.id, Outcome(.interrupted, .schedulerDied), exit: nil, message: message, result: nil)
    }

    private mutating func resumeWaiting(_ row: StoredExecution) {
        if planted(.waitingNotRestored) { return }
        guard let task = owner(row.taskID, row.taskUID) else {
            write([
                .endWaiting(
                    execution: row.id, at: now.wall,
                    ExecutionEnd(outcome: Outcome(.cancelled, .taskGone)))
            ])
            return
        }
        var execution = resumed(row, of: task, state: .waiting)
        // A clock that was set back while down must not make the wait longer than it can be.
        let retry = task.policies.retry
        let longest = retry.maximumDelay + retry.jitter
        let left = min(max(.zero, (row.retryAt ?? now.wall) - now.wall), longest)
        execution.retryAt = now.wall + left
        execution.retryDue = now.boot + left
        add(execution)
        tasks[task.id]?.open.insert(row.id)
        bootTimers.set(.retry(row.id), at: now.boot + left)
    }

    private func resumed(
        _ row: StoredExecution, of task: TaskState, state: ExecutionState
    ) -> Execution {
        var execution = Execution(
            id: row.id, task: task.key, worker: workerID(of: task), trigger: row.trigger,
            plannedAt: row.plannedAt, policies: task.policies, state: state)
        execution.startedAt = row.startedAt
        execution.attempts = row.attempts
        return execution
    }

    private mutating func resumeDeferred(_ row: StoredOccurrence) {
        let trigger = row.trigger ?? .schedule
        guard let id = try? TaskID(row.taskID) else { return }
        guard let task = owner(row.taskID, row.taskUID),
            task.record.enabled || trigger.isRequested
        else {
            write([
                .occurrence(
                    TaskKey(id: id, uid: row.taskUID), plannedAt: row.plannedAt, .skipped,
                    reason: Outcome.Reason.taskGone.rawValue, at: now.wall)
            ])
            return
        }
        if let next = task.record.nextRun, next <= row.plannedAt { expectAgain(row.plannedAt) }
        let isMissed = trigger == .schedule && now.wall - row.plannedAt > Planner.grace
        var execution = Execution(
            id: row.executionID ?? ids.next(), task: task.key, worker: workerID(of: task),
            trigger: isMissed ? .catchUp : trigger, plannedAt: row.plannedAt,
            policies: task.policies)
        execution.recorded = .worker
        execution.wasDeferred = true
        // It was let wait before; nothing that came since takes its place.
        enqueue(execution, cause: trigger.isRequested ? .requested : .oneOfAll)
    }
}
