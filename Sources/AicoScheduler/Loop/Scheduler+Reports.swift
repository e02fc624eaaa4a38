// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoConfig
import AicoCore
import AicoStore
import AicoWire
import ZeroMQ

extension Scheduler {
    /// Lines of one attempt that are kept; a task that writes more is told so once.
    static let maximumLogLines = 10_000
    /// Bytes of these lines.
    static let maximumLogBytes = 4 * 1024 * 1024

    /// Takes what one class's worker reports; everything in it is hostile until checked.
    ///
    /// By default no more than one turn's batch, so that a flood starves nobody.
    func takeReports(of pipe: ClassPipe, limit: Int? = nil) {
        attempt("receive report") { () throws(ZeroMQError) in
            for _ in 0..<(limit ?? configuration.scheduler.batchSize) {
                guard let frames = try pipe.reports.receive() else { return }
                take(frames, from: pipe)
            }
        }
    }

    private func take(_ frames: [[UInt8]], from pipe: ClassPipe) {
        switch pipe.worker {
        case .unproven, .distrusted: return
        case .absent, .launched, .proving, .ready: break
        }
        guard frames.count == 1, let frame = frames.first else {
            return distrust(pipe, "sent a report of \(frames.count) frames")
        }
        do throws(WireError) {
            take(try ReportCodec.decode(frame), from: pipe)
        } catch {
            distrust(pipe, error.description)
        }
    }

    private func take(_ report: Report, from pipe: ClassPipe) {
        switch report {
        case .hello(_, let capacity, _, let layers):
            pipe.layers = layers.held
            pipe.capacity = max(1, Int(capacity))
            // Its answer to the ping of its launch may be on the way; a second one does no harm.
            guard case .launched = pipe.worker else { return }
            attempt("ping") { () throws(ZeroMQError) in try pipe.ping() }
        case .pong(let nonce):
            guard case .launched = pipe.worker, nonce == pipe.nonce else { return }
            prove(pipe)
        case .started(let key, let sequence, let layers, let at):
            check(key, sequence, pipe, .life) { started($0, layers, at: plausible(at)) }
        case .progress(let key, let sequence, let fraction, let message):
            check(key, sequence, pipe, .life) { progressed($0, fraction, message) }
        case .log(let key, let sequence, let stream, let at, let line):
            check(key, sequence, pipe, .line(line)) { attempt in
                logged(attempt, sequence, stream, at: plausible(at), line)
            }
        case .finished(let key, let sequence, let ending):
            check(key, sequence, pipe, .end(ending)) { finished($0, ending) }
        }
    }

    /// Lets a report of an attempt through if the attempt is the class's and the next in order;
    /// `word` is what it says where the attempt is the class's canary.
    private func check(
        _ key: AttemptKey, _ sequence: UInt32, _ pipe: ClassPipe, _ word: CanaryRun.Word,
        _ body: (Attempt) -> Void
    ) {
        switch pipe.worker {
        // Left behind by a worker that is gone: its attempts were ended with it.
        case .absent, .launched, .unproven, .distrusted: return
        case .proving(let canary):
            let isOwn = key == canary.order.attempt && canary.isSent
            guard check(key, sequence, isOwn ? canary.sequence : nil, pipe) else { return }
            canarySaid(word, canary, in: pipe)
        case .ready:
            let attempt = attempts[key.value].flatMap {
                $0.run.taskClass == pipe.taskClass && $0.isSent ? $0 : nil
            }
            guard check(key, sequence, attempt?.sequence, pipe), let attempt else { return }
            attempt.sequence += 1
            body(attempt)
        }
    }

    /// Compares a report's sequence with the next of its attempt, nil where that is not its own.
    private func check(
        _ key: AttemptKey, _ sequence: UInt32, _ next: UInt32?, _ pipe: ClassPipe
    ) -> Bool {
        guard let next else {
            distrust(pipe, "reported on attempt \(key.value), which is not its own")
            return false
        }
        guard sequence == next else {
            distrust(
                pipe,
                "report \(sequence) of attempt \(key.value) is out of order, \(next) was next")
            return false
        }
        return true
    }

    /// A worker's clock is the machine's: what is far from now is made up.
    private func plausible(_ at: Instant) -> Instant {
        at > now - .seconds(86400) && at < now + .seconds(86400) ? at : now
    }

    private func started(_ attempt: Attempt, _ layers: LayerReport, at: Instant) {
        guard !attempt.isStarted else { return }
        attempt.isStarted = true
        let run = attempt.run
        journal.add(
            .attemptConfined(attempt: attempt.key, layers: layers.record.serialized()))
        if run.trigger == .schedule, attempt.number == 1 {
            let jitter = Planner.jitter(of: run.entry.id, policies: run.entry.policies)
            metrics.count(latency: at - (run.plannedAt + jitter))
        }
        publish(
            .executionStarted,
            [
                "task": .string(run.entry.id.text), "execution": .string(run.executionID),
                "attempt": .int(Int(attempt.number)), "trigger": .string(run.trigger.rawValue),
                "planned_at": .instant(run.plannedAt), "at": .instant(at),
            ])
    }

    private func progressed(_ attempt: Attempt, _ fraction: Double?, _ message: String) {
        publish(
            .executionProgress,
            [
                "task": .string(attempt.run.entry.id.text),
                "execution": .string(attempt.run.executionID),
                "attempt": .int(Int(attempt.number)),
                "fraction": fraction.map { .double($0) } ?? .null, "message": .string(message),
            ])
    }

    private func logged(
        _ attempt: Attempt, _ sequence: UInt32, _ stream: LogStream, at: Instant, _ text: String
    ) {
        guard attempt.logLines <= Self.maximumLogLines else { return }
        var (stream, line) = (stream, text)
        attempt.logLines += 1
        attempt.logBytes += text.utf8.count
        if attempt.logLines > Self.maximumLogLines || attempt.logBytes > Self.maximumLogBytes {
            attempt.logLines = Self.maximumLogLines + 1
            (stream, line) = (.warning, "more output than is kept; the rest is dropped")
        }
        journal.add(
            .log(
                LogLine(
                    executionID: attempt.run.executionID, attempt: attempt.key,
                    sequence: sequence, stream: stream.rawValue, at: at, line: line)))
        publish(
            .executionLog,
            [
                "task": .string(attempt.run.entry.id.text),
                "execution": .string(attempt.run.executionID),
                "attempt": .int(Int(attempt.number)), "id": .null,
                "stream": .string(stream.name), "at": .instant(at), "line": .string(line),
            ])
    }

    private func finished(_ attempt: Attempt, _ ending: AttemptExit) {
        var conclusion = Conclusion(OutcomeRules.outcome(of: ending))
        conclusion.ending = ending.record
        conclusion.message = ending.message
        if case .succeeded(let bytes) = ending.reply {
            if let result = try? JSONValue.parse(bytes) {
                conclusion.result = result
            } else {
                conclusion.judgement = Outcome(.failedPermanent, .protocolViolation)
                conclusion.message = "its result is not JSON"
            }
        }
        if let reason = attempt.run.cancelled,
            [.interrupted, .cancelled].contains(conclusion.judgement.kind)
        {
            conclusion.judgement = reason.outcome
        }
        conclude(attempt, conclusion)
    }
}
