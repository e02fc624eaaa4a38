// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoStore
import AicoWire
import Logging
import ZeroMQ

extension Scheduler {
    /// Beyond timeout and grace, before the worker itself is suspected.
    static let backstopSlack = Duration.seconds(15)

    /// Writes an execution or its next attempt as running; the order leaves when that is durable.
    func start(_ item: Waiting) {
        let pipe = pipe(item.entry.id.taskClass)
        pipe.running += 1
        running += 1
        if let run = item.retryOf {
            run.phase = .claiming
            journal.add(.retry(execution: run.executionID, at: now)) { [self] outcome in
                claimed(run, outcome)
            }
            return
        }
        let run = Run(
            executionID: item.executionID, entry: item.entry, trigger: item.trigger,
            plannedAt: item.plannedAt, startedAt: now)
        runs[run.executionID] = run
        item.entry.open[run.executionID] = run
        let claim = Claim(
            task: item.entry.id, plannedAt: item.plannedAt, executionID: item.executionID,
            trigger: item.trigger, at: now, nextRun: .keep)
        journal.add(.claim(claim)) { [self] outcome in
            if case .claimed = outcome { item.entry.task.lastRun = run.startedAt }
            claimed(run, outcome)
        }
        if let letter = item.deadLetter {
            journal.add(
                .resolveDeadLetter(id: letter, at: now, retriedAs: item.executionID))
        }
    }

    private func claimed(_ run: Run, _ outcome: StoreOutcome) {
        switch outcome {
        case .claimed(let key, let number):
            launch(run, key: key, number: number)
        case .done, .alreadyClaimed, .notFound, .alreadyExists:
            // Another turn had the instant, or the task is gone: nothing was written, nothing runs.
            log.notice(
                "claim did not apply",
                metadata: ["task": "\(run.entry.id)", "outcome": "\(outcome)"])
            forget(run)
            release(run)
        }
    }

    private func launch(_ run: Run, key: UInt64, number: UInt32) {
        let attempt = Attempt(key: key, number: number, run: run, startedAt: now)
        attempts[key] = attempt
        run.attempts = Int(number)
        run.phase = .running(attempt)
        if run.cancelled != nil || phase != .running {
            let judgement = run.cancelled?.outcome ?? Outcome(.interrupted, .shutdown)
            conclude(attempt, Conclusion(judgement))
            return
        }
        let timeout = timeout(of: run.entry)
        let order = AttemptOrder(
            attempt: AttemptKey(key), executionID: run.executionID, taskID: run.entry.id.text,
            taskType: run.entry.task.type, attemptNumber: number, occurrence: run.plannedAt,
            timeout: timeout, grace: run.entry.policies.grace, config: run.entry.task.config)
        let pipe = pipe(run.taskClass)
        self.attempt("order") { () throws(ZeroMQError) in
            try pipe.send(.run(order), for: attempt)
        }
        timers.set(
            .backstop(key), at: now + timeout + run.entry.policies.grace + Self.backstopSlack)
    }

    /// The longest that an attempt of the task may take.
    func timeout(of entry: TaskEntry) -> Duration {
        if let timeout = entry.policies.timeout { return timeout }
        if let type = try? TaskID(entry.task.type), let timeout = registry.types[type]?.timeout {
            return timeout
        }
        // As the shipped profiles say; the worker holds the order to its own profile's limit.
        switch entry.id.taskClass {
        case .maintenance, .security: return .seconds(3600)
        case .agency: return .seconds(1800)
        case .user: return .seconds(300)
        }
    }

    /// Asks for an execution's end; false where it is over already.
    @discardableResult
    func cancel(_ run: Run, _ reason: CancelReason) -> Bool {
        let isSecond = run.cancelled != nil
        if reason != .shutdown, !isSecond { run.cancelled = reason }
        switch run.phase {
        case .claiming:
            return true
        case .running(let attempt):
            let pipe = pipe(run.taskClass)
            if pipe.withdraw(attempt) {
                conclude(attempt, Conclusion(reason.outcome))
                return true
            }
            guard !isSecond else { return true }
            var grace = run.entry.policies.grace
            if reason == .shutdown { grace = min(grace, Self.stopGrace) }
            self.attempt("cancel") { () throws(ZeroMQError) in
                try pipe.send(
                    .cancel(attempt: AttemptKey(attempt.key), reason: reason, grace: grace))
            }
            timers.set(.backstop(attempt.key), at: now + grace + Self.backstopSlack)
            return true
        case .waiting:
            _ = queue.remove { $0.retryOf === run }
            endWaiting(run, reason.outcome)
            return true
        }
    }

    /// An attempt outlived its limits: its worker does not do its work.
    func enforceBackstop(_ key: UInt64) {
        guard let attempt = attempts[key] else { return }
        guard attempt.isSent else {
            timers.set(.backstop(key), at: now + Self.backstopSlack)
            return
        }
        distrust(pipe(attempt.run.taskClass), "did not end attempt \(key) in time")
    }

    /// Gives back the place that an execution held.
    func release(_ run: Run) {
        pipe(run.taskClass).running -= 1
        running -= 1
        needsAdmission = true
    }

    /// Forgets an execution that is over.
    func forget(_ run: Run) {
        runs[run.executionID] = nil
        run.entry.open[run.executionID] = nil
        timers.set(.retry(run.executionID), at: nil)
    }
}
