// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore

extension SchedulerCore {
    /// Ends a running attempt and moves its execution on: over, or to its next attempt.
    mutating func finish(
        _ id: String, _ outcome: Outcome, exit: AttemptExit?, message: String?,
        result: [UInt8]?, parsed: JSONValue? = nil
    ) {
        guard let execution = executions[id], let attempt = execution.attempt else { return }
        // What is written of it says whose it was.
        defer { attempts[attempt.key] = nil }
        bootTimers.set(.backstop(attempt.key), at: nil)
        forgetInstant(execution)
        let policies = task(execution.task)?.policies ?? execution.policies
        let counted = planted(.retryCountedTwice) ? execution.attempts * 2 : execution.attempts
        let step = OutcomeRules.next(
            after: outcome, attempts: counted, policies: policies,
            mayRetry: execution.isWanted && execution.cancelled == nil, seed: id)
        if let exit { health.note(exit, of: execution.taskClass) }
        noteHealth(of: execution, outcome, parsed, message)
        release(execution)
        func end(_ next: AttemptEnd.Next) -> StoreChange {
            .endAttempt(
                AttemptEnd(
                    attempt: attempt.key, at: now.wall, outcome: outcome, exit: exit,
                    message: message, next: next))
        }
        switch step {
        case .retry(let delay):
            guard move(id, .retry) else { return }
            let retryAt = now.wall + delay
            executions[id]?.attempt = nil
            executions[id]?.retryAt = retryAt
            executions[id]?.retryDue = now.boot + delay
            executions[id]?.recorded = nil
            executions[id]?.wasDeferred = false
            bootTimers.set(.retry(id), at: now.boot + delay)
            write(
                [end(.waiting(retryAt: retryAt))],
                publishing: [.retry(execution.subject, outcome, message: message, at: retryAt)])
        case .done, .deadLetter:
            guard move(id, .finish) else { return }
            let over = ExecutionEnd(outcome: outcome, result: result, errorMessage: message)
            var changes = planted(.endNotWritten) ? [] : [end(.ended(over))]
            var published = [finished(execution, outcome, message: message, result: parsed)]
            if step == .deadLetter {
                let reason = Self.words(outcome)
                changes.append(.deadLetter(execution: id, at: now.wall, reason: reason))
                published.append(.deadLetter(execution.subject, reason: reason))
            }
            if planted(.eventBeforeCommit) {
                for event in published { actions.append(.publish(event)) }
                write(changes)
            } else {
                write(changes, publishing: published)
            }
            noteEnd(of: execution, outcome)
            forget(id)
        }
    }

    /// Takes a claim back whose order cannot leave: its attempt never began and never was, and its
    /// execution waits as before it.
    mutating func handBack(_ id: String, _ reason: Admission.Deferral) {
        guard let execution = executions[id], let attempt = execution.attempt else { return }
        guard let task = task(execution.task), execution.isWanted, execution.cancelled == nil else {
            let outcome = execution.cancelled?.outcome ?? Outcome(.cancelled, .taskGone)
            return finish(id, outcome, exit: nil, message: nil, result: nil)
        }
        guard move(id, .handBack) else { return }
        // What is written of it says whose it was.
        defer { attempts[attempt.key] = nil }
        bootTimers.set(.backstop(attempt.key), at: nil)
        forgetInstant(execution)
        release(execution)
        executions[id]?.attempt = nil
        executions[id]?.attempts = Int(attempt.number) - 1
        executions[id]?.queuedAt = now.wall
        executions[id]?.wasDeferred = true
        var published: [Published] = []
        if attempt.number == 1 {
            executions[id]?.startedAt = nil
            executions[id]?.recorded = reason
            tasks[task.id]?.open.remove(id)
            // It was the first of its task to start, and is again.
            if execution.policies.overlap != .allow {
                executions[id]?.isInLine = true
                byTask[execution.task]?.line
                    .prepend(id, isRequested: execution.trigger.isRequested)
            }
            if let execution = executions[id] {
                published = [
                    .deferred(
                        execution.subject, plannedAt: execution.plannedAt, waits(execution))
                ]
            }
        }
        write(
            [.unclaim(attempt: attempt.key, reason: reason.rawValue, at: now.wall)],
            publishing: published)
        place(id)
    }

    /// The name of an outcome with its reason.
    static func words(_ outcome: Outcome) -> String {
        outcome.reason.map { "\(outcome.kind.rawValue): \($0.rawValue)" } ?? outcome.kind.rawValue
    }

    /// Remembers how a task's last execution ended.
    mutating func noteEnd(of execution: Execution, _ outcome: Outcome) {
        guard task(execution.task) != nil else { return }
        tasks[execution.task.id]?.lastOutcome = outcome.kind
    }

    func finished(
        _ execution: Execution, _ outcome: Outcome, message: String?, result: JSONValue?
    ) -> Published {
        .finished(
            execution.subject, outcome,
            duration: max(.zero, now.wall - (execution.startedAt ?? now.wall)), message: message,
            result: result)
    }
}
