// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore

extension SchedulerCore {
    /// Whether what a worker says is taken at all.
    func hears(_ workerID: WorkerID) -> Bool {
        switch worker(workerID).state {
        case .canaryFailed, .quarantined: false
        case .absent, .launched, .probing, .ready: true
        }
    }

    /// Takes what one worker reports; everything in it is hostile until checked.
    mutating func receive(_ report: Report, from workerID: WorkerID) {
        guard hears(workerID) else { return }
        let index = workerID.number
        switch report {
        case .hello(_, let capacity, let wallLimit, let layers):
            workers[index].layers = layers.held
            workers[index].capacity = max(1, Int(capacity))
            workers[index].wallLimit = wallLimit
            // Its answer to the ping of its launch may be on the way; a second one does no harm.
            if workers[index].state == .launched { ping(workerID) }
        case .pong(let nonce): receivePong(nonce, from: workerID)
        case .started(let key, let sequence, let layers, let at):
            guard let id = check(key, sequence, workerID, .life) else { return }
            started(id, layers, at: plausible(at))
        case .progress(let key, let sequence, let fraction, let message):
            guard let id = check(key, sequence, workerID, .life) else { return }
            guard let subject = executions[id]?.subject else { return }
            publish(.progress(subject, fraction: fraction, message: message))
        case .log(let key, let sequence, let stream, let at, let line):
            guard let id = check(key, sequence, workerID, .line(line)) else { return }
            logged(id, key, sequence, stream, at: plausible(at), line)
        case .finished(let key, let sequence, let exit):
            guard let id = check(key, sequence, workerID, .end(exit)) else { return }
            finished(id, exit)
        }
    }

    /// Lets a report of an attempt through if the attempt is the worker's and the next in order;
    /// gives its execution. `word` is what it says where the attempt is its canary.
    private mutating func check(
        _ key: AttemptKey, _ sequence: UInt32, _ workerID: WorkerID, _ word: CanaryRun.Word
    ) -> String? {
        switch worker(workerID).state {
        // Left behind by a worker that is gone: its attempts were ended with it.
        case .absent, .launched:
            if planted(.lateReportBelieved) { return attempts[key] }
            return nil
        case .canaryFailed, .quarantined: return nil
        case .probing where worker(workerID).formerAttempts.contains(key),
            .ready where worker(workerID).formerAttempts.contains(key):
            // It read an order that was meant for the one before: over already, and not to be run.
            if sequence == 0 {
                actions.append(
                    .send(workerID, .cancel(attempt: key, reason: .requested, grace: .zero)))
            }
            return nil
        case .probing:
            let canary = worker(workerID).canary
            let isOwn = key == canary?.order.attempt && canary?.isSent == true
            guard check(key, sequence, isOwn ? canary?.sequence : nil, workerID) else {
                return nil
            }
            canarySaid(word, in: workerID)
            return nil
        case .ready:
            let execution = attempts[key].flatMap { executions[$0] }
            let attempt =
                execution?.workerNumber == UInt8(workerID.number) ? execution?.attempt : nil
            let isOwn = attempt?.key == key && attempt?.isSent == true
            if planted(.lateReportBelieved), !isOwn { return attempts[key] }
            guard check(key, sequence, isOwn ? attempt?.sequence : nil, workerID),
                let id = execution?.id
            else { return nil }
            // Wraps, as the worker counts.
            executions[id]?.attempt?.sequence &+= 1
            return id
        }
    }

    /// Compares a report's sequence with the next of its attempt, nil where that is not its own.
    private mutating func check(
        _ key: AttemptKey, _ sequence: UInt32, _ next: UInt32?, _ workerID: WorkerID
    ) -> Bool {
        guard let next else {
            quarantine(workerID, "reported on attempt \(key.value), which is not its own")
            return false
        }
        guard sequence == next || planted(.sequenceNotChecked) else {
            quarantine(
                workerID,
                "report \(sequence) of attempt \(key.value) is out of order, \(next) was next")
            return false
        }
        return true
    }

    /// A worker's clock is the machine's: what is far from now is made up.
    private func plausible(_ at: Instant) -> Instant {
        let isNear =
            at > now.wall - settings.reportTolerance && at < now.wall + settings.reportTolerance
        return isNear ? at : now.wall
    }

    private mutating func started(_ id: String, _ layers: LayerReport, at: Instant) {
        guard let execution = executions[id], let attempt = execution.attempt, !attempt.isStarted
        else { return }
        executions[id]?.attempt?.isStarted = true
        health.note(layers, of: execution.taskClass)
        if execution.trigger == .schedule, attempt.number == 1, let allowed = execution.allowedAt {
            // The report tells when; how long it took to come here is not the start's.
            let since = now.boot - allowed
            let latency = max(.zero, since - max(.zero, min(now.wall - at, since)))
            health.note(latency: latency)
            actions.append(.measured(latency: latency))
        }
        write(
            [.attemptConfined(attempt: attempt.key, layers)],
            publishing: [
                .started(
                    execution.subject, trigger: execution.trigger, plannedAt: execution.plannedAt,
                    at: at)
            ], canWait: true)
    }

    private mutating func logged(
        _ id: String, _ key: AttemptKey, _ sequence: UInt32, _ stream: LogStream, at: Instant,
        _ text: String
    ) {
        guard let execution = executions[id], let attempt = execution.attempt,
            attempt.logLines <= settings.maximumLogLines
        else { return }
        var (stream, line) = (stream, text)
        let lines = attempt.logLines + 1
        let bytes = attempt.logBytes + text.utf8.count
        executions[id]?.attempt?.logBytes = bytes
        executions[id]?.attempt?.logLines = lines
        if lines > settings.maximumLogLines || bytes > settings.maximumLogBytes {
            executions[id]?.attempt?.logLines = settings.maximumLogLines + 1
            (stream, line) = (.warning, "more output than is kept; the rest is dropped")
        }
        write(
            [
                .log(
                    LogEntry(
                        executionID: id, attempt: key, sequence: sequence, stream: stream, at: at,
                        line: line))
            ],
            publishing: [.log(execution.subject, stream: stream, at: at, line: line)],
            canWait: true)
    }

    private mutating func finished(_ id: String, _ exit: AttemptExit) {
        var outcome = OutcomeRules.outcome(of: exit)
        var message = exit.message
        var result: (bytes: [UInt8], value: JSONValue)?
        if case .succeeded(let bytes) = exit.reply {
            if let value = try? JSONValue.parse(bytes) {
                result = (bytes, value)
            } else {
                outcome = Outcome(.failedPermanent, .protocolViolation)
                message = "its result is not JSON"
            }
        }
        if let reason = executions[id]?.cancelled,
            outcome.kind == .interrupted || outcome.kind == .cancelled
        {
            outcome = reason.outcome
        }
        finish(
            id, outcome, exit: exit, message: message, result: result?.bytes,
            parsed: result?.value)
    }
}
