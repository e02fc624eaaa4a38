// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore

extension SchedulerCore {
    /// Ends a running attempt and moves its execution on: over, or to its next attempt.
    ///
    /// - Parameter hasBegun: false where its order is known never to have left: that counts against
    ///   no bound of its policies, and it goes on whatever they say of a crash.
    mutating func finish(
        _ id: String, _ outcome: Outcome, exit: AttemptExit?, message: String?,
        result: [UInt8]?, parsed: JSONValue? = nil, hasBegun: Bool = true
    ) {
        guard let execution = executions[id], let attempt = execution.attempt else { return }
        attempts[attempt.key] = nil
        bootTimers.set(.backstop(attempt.key), at: nil)
        forgetInstant(execution)
        let policies = task(execution.task)?.policies ?? execution.policies
        let counted = planted(.retryCountedTwice) ? execution.attempts * 2 : execution.attempts
        let mayRetry = execution.isWanted && execution.cancelled == nil
        let step =
            !hasBegun && mayRetry
            ? .retry(after: .zero)
            : OutcomeRules.next(
                after: outcome, attempts: counted - execution.unbegun, policies: policies,
                mayRetry: mayRetry, seed: id)
        if !hasBegun { executions[id]?.unbegun += 1 }
        if let exit { health.note(exit, of: execution.taskClass) }
        if hasBegun { noteHealth(of: execution, outcome, parsed, message) }
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

    /// Ends an attempt whose order cannot leave: it never began, and another takes its place.
    mutating func handBack(_ id: String, _ outcome: Outcome) {
        finish(
            id, outcome, exit: nil, message: "it had not begun", result: nil, hasBegun: false)
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
