// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire

/// What the worker knows of one attempt, and what follows from each thing it learns.
///
/// Pure: times are passed in, and what is to be done is returned. `ended` is the last call.
struct AttemptRecord: Sendable {
    /// What the worker is to do.
    enum Action: Sendable, Equatable {
        /// Pass a report to the scheduler.
        case report(Report)
        /// Send a cancel order to the task.
        case cancel(CancelReason, grace: Duration)
        /// Kill the attempt's cgroup.
        case kill
    }

    /// How far the attempt is; `at` is when its cgroup will be killed.
    private enum Phase: Equatable {
        /// The fork server makes it; its code does not run yet.
        case starting
        /// Its code runs.
        case running
        /// It was told to end.
        case cancelled(killAt: ContinuousClock.Instant)
        /// It said how it ended and has yet to exit.
        case leaving(killAt: ContinuousClock.Instant)
        /// Its cgroup was killed.
        case killed
    }

    /// How long a task may take from its last frame to its exit.
    static let leaveTime = Duration.seconds(5)
    /// The most bytes of a line of output that a failure's message quotes.
    private static let longestQuote = 400

    let order: AttemptOrder
    private let limits: LimitWords
    private let deadline: ContinuousClock.Instant
    private var phase = Phase.starting
    private var sequence: UInt32 = 0
    private var verdict = TaskReply.none
    private var cause: EndCause?
    /// Whether the last layer was passed.
    private(set) var isConfined = false
    /// What its class is granted and it did not find.
    private var lack: LayerFailure?
    /// Whether a rule of its socket was broken: nothing that comes by it counts any more.
    private(set) var isViolated = false
    /// The signal that a program of the task ended by, where the task says so.
    private var programSignal: Int32?
    /// What the task's command left running, where the task says so.
    private var leftBehind: LeftBehind?
    /// Whether the last line on standard error belongs to the task's last word.
    private var quotesErrors = false
    private var lastError: String?
    private var logs: LogBudget
    private var progress: ProgressBudget

    /// Begins an attempt; `deadline` is when its time is over.
    init(order: AttemptOrder, limits: LimitWords, now: ContinuousClock.Instant) {
        self.order = order
        self.limits = limits
        deadline = now + order.timeout
        logs = LogBudget()
        progress = ProgressBudget(now: now)
    }

    /// When `tick` is to be called next; nil where nothing is due.
    var wakeTime: ContinuousClock.Instant? {
        switch phase {
        case .starting, .running: deadline
        case .cancelled(let time), .leaving(let time): time
        case .killed: nil
        }
    }

    /// The last layer is passed: the type's code runs.
    mutating func confined(_ layers: LayerReport, at: Instant) -> [Action] {
        if phase == .starting { phase = .running }
        isConfined = true
        lack = layers.missing.first(where: \.isOfMounts)
        return [
            .report(
                .started(attempt: order.attempt, sequence: next(), layers: layers, at: at))
        ]
    }

    /// The task sent a frame.
    mutating func received(
        _ frame: TaskFrame, at: Instant, now: ContinuousClock.Instant
    ) -> [Action] {
        guard verdict == .none, cause == nil || !isRefusal else {
            return violated("a frame follows the last one")
        }
        switch frame {
        case .log(let stream, let line): return log(stream, line, at: at)
        case .leftBehind(let left):
            leftBehind = left
            return []
        case .progress(let fraction, let message):
            guard progress.admit(now: now) else { return [] }
            return [
                .report(
                    .progress(
                        attempt: order.attempt, sequence: next(), fraction: fraction,
                        message: message))
            ]
        case .succeeded(let result): verdict = .succeeded(result: result)
        case .failed(let permanent, let message):
            verdict = .failed(permanent: permanent, message: message)
        case .programFailed(let permanent, let signal, let message):
            verdict = .failed(permanent: permanent, message: message)
            programSignal = signal == 0 ? nil : Int32(signal)
            quotesErrors = true
        case .refused(let message): note(.orderRefused(message: message))
        }
        if phase == .running || phase == .starting {
            phase = .leaving(killAt: now + Self.leaveTime)
        }
        return []
    }

    /// The task, or what it started, wrote a line to standard output or error.
    mutating func wrote(_ line: String, on stream: LogStream, at: Instant) -> [Action] {
        if stream == .standardError, !line.isEmpty {
            lastError = CutText.fitting(line, limit: Self.longestQuote)
        }
        return log(stream, line, at: at)
    }

    /// The task's socket broke a rule.
    mutating func violated(_ message: String) -> [Action] {
        isViolated = true
        note(.protocolViolation(message: message))
        return kill()
    }

    /// The scheduler wants it to end.
    mutating func cancelled(
        _ reason: CancelReason, grace: Duration, now: ContinuousClock.Instant
    ) -> [Action] {
        // As the order's own grace: longer, it would undo the profile's limit of time.
        end(
            reason == .timeout ? .timedOut : .cancelled(reason), reason,
            grace: min(grace, RunLimits.longestGrace), now: now)
    }

    /// A layer was refused; the type's code never ran.
    mutating func refused(_ failure: LayerFailure) { note(.layerRefused(failure)) }

    /// It made a system call that its class must not make.
    mutating func denied(name: String, number: Int32, arguments: [UInt64]) {
        note(.deniedSyscall(name: name, number: number, arguments: arguments))
    }

    /// `wakeTime` may have come.
    mutating func tick(now: ContinuousClock.Instant) -> [Action] {
        guard let time = wakeTime, time <= now else { return [] }
        switch phase {
        case .starting, .running:
            return end(.timedOut, .timeout, grace: order.grace, now: now)
        case .cancelled, .leaving: return kill()
        case .killed: return []
        }
    }

    /// The attempt's tree is gone: the last report.
    mutating func ended(
        _ exit: ProcessExit, usage: ResourceUsage, outOfMemory: Bool,
        codeMemoryRefusals: UInt64 = 0, at: Instant
    ) -> [Action] {
        // A task that lost a process to the memory limit and still succeeded knows better.
        if outOfMemory, cause == nil || cause == .timedOut, !hasSucceeded(exit) {
            let peak = usage.peakMemoryBytes
            cause =
                limits.isOfClass(peak: peak)
                ? .noPlace(message: limits.classMemory(peak: peak)) : .outOfMemory
        }
        if !isConfined {
            note(.diedInSetUp(message: "its process ended during set-up: \(exit.words)"))
        }
        var actions: [Action] = []
        let (note, tail) = logs.finish()
        if let note { actions.append(line(.warning, note, at: tail.first?.at ?? at)) }
        for kept in tail { actions.append(line(kept.stream, kept.text, at: kept.at)) }
        let ending = withLack(
            AttemptExit(
                reply: lastWord(exit, usage, codeMemoryRefusals), exit: known(exit), cause: cause,
                usage: usage, leftBehind: leftBehind))
        actions.append(
            .report(.finished(attempt: order.attempt, sequence: next(), exit: ending)))
        return actions
    }
}

extension AttemptRecord {
    private var isRefusal: Bool {
        if case .orderRefused = cause { true } else { false }
    }

    private func hasSucceeded(_ exit: ProcessExit) -> Bool {
        guard case .succeeded = verdict else { return false }
        return exit == .exited(code: 0)
    }

    private mutating func next() -> UInt32 {
        defer { sequence &+= 1 }
        return sequence
    }

    /// Keeps the first cause; what follows from it is no cause.
    private mutating func note(_ new: EndCause) { if cause == nil { cause = new } }

    /// An ending that is a failure of its own is told with the path that was missing: nobody knows
    /// whether it needed that. Another cause is its own reason.
    private func withLack(_ ending: AttemptExit) -> AttemptExit {
        guard let lack, ending.cause == nil, OutcomeRules.outcome(of: ending).kind != .succeeded
        else { return ending }
        var told = ending
        told.cause = .layerRefused(lack)
        told.reply = .failed(
            permanent: false,
            message: "what its class is granted was not all there: cannot \(lack.detail) "
                + "(errno \(lack.errno)): \(ending.message ?? ending.exit.words)")
        return told
    }

    /// How the task's program ended counts, not how the task told of it.
    private func known(_ exit: ProcessExit) -> ProcessExit {
        guard case .exited = exit, let programSignal else { return exit }
        return .signaled(signal: programSignal)
    }

    /// The task's last word, with its last line on standard error where that says more: of a
    /// program, and where a signal ended the task before it could say anything.
    private func lastWord(
        _ exit: ProcessExit, _ usage: ResourceUsage, _ codeMemoryRefusals: UInt64
    ) -> TaskReply {
        switch cause {
        case .outOfMemory:
            return .failed(permanent: true, message: limits.memory(peak: usage.peakMemoryBytes))
        case .timedOut: return .failed(permanent: false, message: limits.time(order.timeout))
        default: break
        }
        let word = lastWord(exit)
        guard !hasSucceeded(exit),
            let met = limits.met(
                by: known(exit), usage: usage, codeMemoryRefusals: codeMemoryRefusals,
                said: [word.failure, lastError].compactMap(\.self))
        else {
            return word
        }
        switch word {
        case .failed(let permanent, let message):
            return .failed(
                permanent: permanent || met.isPermanent, message: "\(met.words): \(message)")
        case .none where exit != .exited(code: 0):
            return .failed(
                permanent: met.isPermanent, message: "\(met.words): \(exit.words)")
        case .none, .succeeded: return word
        }
    }

    private func lastWord(_ exit: ProcessExit) -> TaskReply {
        guard let lastError else { return verdict }
        switch (verdict, exit) {
        case (.failed(let permanent, let message), _) where quotesErrors:
            return .failed(permanent: permanent, message: "\(message): \(lastError)")
        case (.none, .signaled):
            return .failed(permanent: false, message: "\(exit.words): \(lastError)")
        case (.none, _), (.succeeded, _), (.failed, _): return verdict
        }
    }

    private mutating func log(_ stream: LogStream, _ text: String, at: Instant) -> [Action] {
        switch logs.admit(LogBudget.Line(stream: stream, at: at, text: text)) {
        case .pass: [line(stream, text, at: at)]
        case .keep(let note): note.map { [line(.warning, $0, at: at)] } ?? []
        }
    }

    private mutating func line(_ stream: LogStream, _ text: String, at: Instant) -> Action {
        .report(
            .log(attempt: order.attempt, sequence: next(), stream: stream, at: at, line: text))
    }

    private mutating func end(
        _ cause: EndCause, _ reason: CancelReason, grace: Duration,
        now: ContinuousClock.Instant
    ) -> [Action] {
        switch phase {
        case .starting, .running:
            note(cause)
            phase = .cancelled(killAt: now + grace)
            return [.cancel(reason, grace: grace)]
        case .cancelled(let killAt):
            phase = .cancelled(killAt: min(killAt, now + grace))
            return []
        case .leaving, .killed: return []
        }
    }

    private mutating func kill() -> [Action] {
        guard phase != .killed else { return [] }
        phase = .killed
        return [.kill]
    }
}

extension TaskReply {
    /// Its message, where it failed.
    fileprivate var failure: String? {
        if case .failed(_, let message) = self { message } else { nil }
    }
}
