// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore

extension SchedulerCore {
    /// Takes a place and has the execution, or its next attempt, written as running; the order
    /// leaves when that is durable.
    mutating func claim(_ id: String) {
        guard move(id, .admit), let execution = executions[id] else { return }
        running += 1
        if let worker = workerID(of: execution) { workers[worker.number].running += 1 }
        bootTimers.set(.maximumDefer(id), at: nil)
        leaveLine(execution)
        tasks[execution.task.id]?.open.insert(id)
        if execution.wasDeferred { executions[id]?.allowedAt = now.boot }
        guard execution.attempts == 0 else {
            write([.retry(execution: id, at: now.wall)], then: .claimed(id))
            return
        }
        let startedAt = max(now.wall, execution.startsAt ?? now.wall)
        executions[id]?.startedAt = startedAt
        let claim = Claim(
            task: execution.task, plannedAt: execution.plannedAt, executionID: id,
            trigger: execution.trigger, at: startedAt, nextRun: .keep)
        write(
            [.claim(claim)] + (execution.recorded == nil ? lettersOf(execution) : []),
            then: .claimed(id), isRefusable: execution.asked != nil)
    }

    private mutating func leaveLine(_ execution: Execution) {
        guard execution.isInLine else { return }
        executions[execution.id]?.isInLine = false
        byTask[execution.task]?.line
            .remove(execution.id, isRequested: execution.trigger.isRequested)
    }

    /// The store answered for a claim.
    mutating func claimed(_ id: String, _ outcome: StoreOutcome) {
        guard let execution = executions[id] else { return }
        switch outcome {
        case .claimed(let key, let number): launch(execution, key, number)
        case .alreadyClaimed where execution.trigger.isRequested && execution.cancelled == nil:
            // A clock that was set back gave it an instant of old: the next microsecond is free.
            guard move(id, .taken) else { return }
            release(execution)
            tasks[execution.task.id]?.open.remove(id)
            takeNextInstant(id)
            if execution.policies.overlap != .allow { standInLine(id) }
            place(id)
        case .done, .alreadyClaimed, .notFound, .alreadyExists:
            // The instant ran before, or its task is gone: nothing was written, nothing runs.
            log(
                .notice, "a claim did not apply",
                ["task": execution.task.id.text, "outcome": "\(outcome)"])
            if outcome == .notFound, execution.attempts == 0 {
                write([occurrence(execution, .skipped, Outcome.Reason.taskGone.rawValue)])
            }
            let what = execution.cancelled == nil ? "deleted" : "cancelled"
            drop(id, Refusal(.conflict, "\(execution.task.id) was \(what) before it ran"))
        }
    }

    /// A claim, or the row of one that waits, could not be written.
    mutating func unclaimed(_ id: String, _ refusal: Refusal) {
        guard let execution = executions[id] else { return }
        switch execution.state {
        case .claiming:
            // What was to follow the row that could not be written falls with it.
            ledger.pending.removeAll { $0.then.isClaim(of: id) }
            if execution.asked == nil || execution.recorded != nil {
                write([occurrence(execution, .skipped, "store_refused")])
            }
            // The store may hold it as waiting still: nobody is told that it is over.
            refuseCancels(of: id, refusal)
            drop(id, refusal)
        case .queued:
            if let letter = execution.deadLetter { retriedLetters.remove(letter) }
            if let asked = execution.asked { reply(asked, .refused(refusal)) }
            executions[id]?.asked = nil
            forget(id)
        case .withdrawing: executions[id]?.recorded = nil
        case .running, .waiting, .ending, .over: break
        }
    }

    private mutating func drop(_ id: String, _ refusal: Refusal) {
        guard let execution = executions[id], move(id, .lost) else { return }
        release(execution)
        if let letter = execution.deadLetter { retriedLetters.remove(letter) }
        if let asked = execution.asked { reply(asked, .refused(refusal)) }
        forget(id)
    }

    private mutating func launch(_ execution: Execution, _ key: AttemptKey, _ number: UInt32) {
        let id = execution.id
        guard move(id, .claimed) else { return }
        attempts[key] = id
        executions[id]?.attempts = Int(number)
        executions[id]?.attempt = Execution.Attempt(key: key, number: number)
        if number == 1, let task = task(execution.task) {
            tasks[task.id]?.record.lastRun = execution.startedAt
        }
        if let asked = execution.asked {
            executions[id]?.asked = nil
            reply(asked, .execution(id, execution.task.id, waits: nil))
        }
        if let instant = execution.startsAt, instant > now.wall, stop == .running,
            execution.cancelled == nil, !planted(.orderBeforeInstant)
        {
            startTimers.set(id, at: instant)
            return
        }
        giveOrder(id)
    }

    /// Sends the order of an attempt that is written as running.
    mutating func giveOrder(_ id: String) {
        guard let execution = executions[id], let attempt = execution.attempt else { return }
        // A step or a sleep since it was claimed hid its time.
        if let instant = execution.startsAt {
            let allowed = allowedAt(instant)
            executions[id]?.allowedAt = allowed
        }
        forgetInstant(execution)
        let task = task(execution.task)
        guard let task, let workerID = workerID(of: execution), execution.cancelled == nil else {
            let outcome = execution.cancelled?.outcome ?? Outcome(.cancelled, .taskGone)
            return finish(id, outcome, exit: nil, message: nil, result: nil)
        }
        guard stop == .running else { return handBack(id, .stopping) }
        // Gone since it was claimed; its successor may be long in coming.
        guard worker(workerID).isReady else { return handBack(id, .worker) }
        let timeout = timeout(of: task)
        let order = AttemptOrder(
            attempt: attempt.key, executionID: id, taskID: task.id.text,
            taskType: task.record.type, attemptNumber: attempt.number,
            occurrence: execution.plannedAt, timeout: timeout,
            grace: task.policies.grace, config: task.record.config)
        executions[id]?.policies = task.policies
        send(.run(order), to: workerID)
        setBackstop(attempt.key, after: timeout + task.policies.grace)
    }

    /// The longest that an attempt of the task may take.
    package func timeout(of task: TaskState) -> Duration {
        let asked =
            task.policies.timeout ?? settings.typeTimeouts[task.record.type]
            ?? settings.classTimeouts[task.id.taskClass] ?? settings.otherTimeout
        // The worker holds its attempts to its profile.
        guard let limit = workerID(of: task).flatMap({ worker($0).wallLimit }) else { return asked }
        return min(asked, limit)
    }

    mutating func setBackstop(_ key: AttemptKey, after time: Duration) {
        if planted(.backstopNotArmed) { return }
        bootTimers.set(.backstop(key), at: now.boot + time + settings.backstopSlack)
    }

    /// An attempt outlived its limits: its worker does not do its work.
    mutating func enforceBackstop(_ key: AttemptKey) {
        guard let id = attempts[key], let execution = executions[id] else { return }
        guard execution.attempt?.isSent == true else {
            bootTimers.set(.backstop(key), at: now.boot + settings.backstopSlack)
            return
        }
        guard let workerID = workerID(of: execution) else { return }
        quarantine(workerID, "did not end attempt \(key.value) in time")
    }

    /// Gives back the place that an execution held.
    mutating func release(_ execution: Execution) {
        if planted(.placeNotGivenBack) { return }
        if let worker = workerID(of: execution) { workers[worker.number].running -= 1 }
        running -= 1
        needsAdmission = true
    }

    /// Forgets an execution that is over; the next of its task may come forward.
    mutating func forget(_ id: String) {
        guard let execution = remove(id) else { return }
        let name = execution.task.id
        tasks[name]?.open.remove(id)
        if ending[name]?.remove(id) != nil, ending[name]?.isEmpty == true { ending[name] = nil }
        held.remove(id)
        bootTimers.set(.retry(id), at: nil)
        bootTimers.set(.maximumDefer(id), at: nil)
        promote(name)
        needsAdmission = true
        if !cancels.isEmpty { tellCancels(of: id) }
    }

    // MARK: - The orders' way

    /// Sends an order, or keeps it until it can leave.
    ///
    /// A worker that takes none has no use for a cancel: what runs in it ends with it.
    mutating func send(_ order: Order, to workerID: WorkerID) {
        let index = workerID.number
        guard workers[index].isReady else { return }
        guard !workers[index].isBlocked, workers[index].outbox.isEmpty else {
            workers[index].outbox.append(order)
            return
        }
        leave(order, to: workerID)
    }

    /// Lets an order go; from now on its worker has its time.
    private mutating func leave(_ order: Order, to workerID: WorkerID) {
        switch order {
        case .run(let run):
            if let id = attempts[run.attempt] {
                executions[id]?.attempt?.isSent = true
                setBackstop(run.attempt, after: run.timeout + run.grace)
            }
        case .cancel(let attempt, _, let grace):
            if attempts[attempt] != nil { setBackstop(attempt, after: grace) }
        case .ping: break
        }
        actions.append(.send(workerID, order))
    }

    /// Takes back what has not left for a worker that takes no more orders.
    mutating func handBackUnsent(of workerID: WorkerID) {
        let orders = workers[workerID.number].outbox
        workers[workerID.number].outbox = []
        for case .run(let run) in orders {
            guard let id = attempts[run.attempt] else { continue }
            handBack(id, .worker)
        }
    }

    /// Sends what waits.
    mutating func flushOrders(_ workerID: WorkerID) {
        let index = workerID.number
        guard workers[index].isReady, !workers[index].isBlocked else { return }
        let orders = workers[index].outbox
        workers[index].outbox = []
        for order in orders { leave(order, to: workerID) }
    }

    /// An order found no room on its pipe.
    mutating func takeBack(_ order: Order, of workerID: WorkerID) {
        let index = workerID.number
        workers[index].isBlocked = true
        switch order {
        // It is asked again once there is room, and owes its answer all the same: what reads nothing
        // for so long does not live.
        case .ping: return
        case .run(let run) where run.attempt == workers[index].canary?.order.attempt:
            workers[index].canary?.isSent = false
            return
        case .run(let run):
            guard let id = attempts[run.attempt] else { return }
            executions[id]?.attempt?.isSent = false
            if planted(.unsentDropped) { return }
        case .cancel: break
        }
        let place = min(workers[index].returned, workers[index].outbox.count)
        workers[index].outbox.insert(order, at: place)
        workers[index].returned += 1
    }

    /// A worker's orders pipe has room again.
    mutating func unblock(_ workerID: WorkerID) {
        let index = workerID.number
        workers[index].isBlocked = false
        workers[index].returned = 0
        switch workers[index].state {
        case .launched: expectAnswerAnew(of: workerID)
        case .probing: sendCanary(workerID)
        case .ready:
            flushOrders(workerID)
            expectAnswerAnew(of: workerID)
        case .absent, .canaryFailed, .quarantined: break
        }
    }

    /// Takes an attempt's order out of what has not left.
    mutating func withdrawOrder(of key: AttemptKey, _ workerID: WorkerID) {
        workers[workerID.number].outbox.removeAll {
            if case .run(let run) = $0 { run.attempt == key } else { false }
        }
    }
}
