// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoStore
import AicoWire

/// All that is written about an attempt's end.
struct Conclusion {
    var judgement: Outcome
    /// What is kept with the attempt.
    var ending: JSONValue = ["exit_code": .null, "signal": .null, "cause": .null, "usage": .null]
    /// What went wrong, for people.
    var message: String?
    var result: JSONValue?

    init(_ judgement: Outcome, message: String? = nil) {
        self.judgement = judgement
        self.message = message
    }
}

extension Scheduler {
    /// Ends a running attempt and moves its execution on: over, or to its next attempt.
    func conclude(_ attempt: Attempt, _ conclusion: Conclusion) {
        let run = attempt.run
        attempts[attempt.key] = nil
        timers.set(.backstop(attempt.key), at: nil)
        release(run)
        let step = OutcomeRules.next(
            after: conclusion.judgement, attempts: run.attempts, policies: run.entry.policies,
            mayRetry: run.isWanted && run.cancelled == nil, seed: run.executionID)
        metrics.count(outcome: conclusion.judgement.kind)
        switch step {
        case .retry(let delay):
            let retryAt = now + delay
            run.phase = .waiting(until: retryAt)
            timers.set(.retry(run.executionID), at: retryAt)
            journal.add(
                .endAttempt(
                    end(attempt, conclusion)(
                        .waiting(retryAt: retryAt, errorMessage: conclusion.message ?? ""))))
            publishRetry(attempt, conclusion, at: retryAt)
        case .done:
            over(attempt, conclusion)
        case .deadLetter:
            over(attempt, conclusion)
            bury(run, conclusion.judgement)
        }
    }

    /// Ends an execution that waited for its next attempt.
    func endWaiting(_ run: Run, _ judgement: Outcome) {
        forget(run)
        run.entry.lastOutcome = .some(judgement.kind.rawValue)
        needsAdmission = true
        journal.add(
            .endWaiting(
                execution: run.executionID, at: now, executionEnd(Conclusion(judgement))))
        publishFinished(run, Conclusion(judgement))
    }

    private func over(_ attempt: Attempt, _ conclusion: Conclusion) {
        let run = attempt.run
        forget(run)
        run.entry.lastOutcome = .some(conclusion.judgement.kind.rawValue)
        journal.add(.endAttempt(end(attempt, conclusion)(.ended(executionEnd(conclusion)))))
        publishFinished(run, conclusion)
        noteHealth(of: run, conclusion)
    }

    private func bury(_ run: Run, _ judgement: Outcome) {
        let reason = (judgement.reason?.rawValue).map { "\(judgement.kind.rawValue): \($0)" }
        let word = reason ?? judgement.kind.rawValue
        journal.add(.deadLetter(execution: run.executionID, at: now, reason: word))
        publish(
            .executionDeadLetter,
            [
                "task": .string(run.entry.id.text), "execution": .string(run.executionID),
                "attempts": .int(run.attempts), "reason": .string(word),
            ])
    }

    private func end(
        _ attempt: Attempt, _ conclusion: Conclusion
    ) -> (AttemptEnd.Next) -> AttemptEnd {
        { [now] next in
            AttemptEnd(
                attempt: attempt.key, at: now, outcome: conclusion.judgement.kind.rawValue,
                ending: conclusion.ending.serialized(), next: next)
        }
    }

    private func executionEnd(_ conclusion: Conclusion) -> ExecutionEnd {
        ExecutionEnd(
            outcome: conclusion.judgement.kind.rawValue,
            success: conclusion.judgement.kind == .succeeded,
            reason: conclusion.judgement.reason?.rawValue ?? "",
            result: conclusion.result?.serialized(), errorMessage: conclusion.message)
    }

    private func publishFinished(_ run: Run, _ conclusion: Conclusion) {
        publish(
            .executionFinished,
            [
                "task": .string(run.entry.id.text), "execution": .string(run.executionID),
                "attempt": .int(run.attempts),
                "outcome": .string(conclusion.judgement.kind.rawValue),
                "reason": .text(conclusion.judgement.reason?.rawValue),
                "duration": .seconds(max(.zero, now - run.startedAt)),
                "error": .text(conclusion.message), "result": conclusion.result ?? .null,
            ])
    }

    private func publishRetry(_ attempt: Attempt, _ conclusion: Conclusion, at: Instant) {
        publish(
            .executionRetry,
            [
                "task": .string(attempt.run.entry.id.text),
                "execution": .string(attempt.run.executionID),
                "attempt": .int(Int(attempt.number)),
                "outcome": .string(conclusion.judgement.kind.rawValue),
                "reason": .text(conclusion.judgement.reason?.rawValue),
                "error": .text(conclusion.message), "retry_at": .instant(at),
            ])
    }
}
