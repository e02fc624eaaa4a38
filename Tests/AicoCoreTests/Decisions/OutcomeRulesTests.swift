// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Testing

struct OutcomeRulesTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let exit: AttemptExit
        let expected: Outcome
        var testDescription: String { "\(exit)" }

        init(
            _ reply: TaskReply, _ exit: ProcessExit, cause: EndCause? = nil, _ kind: Outcome.Kind,
            _ reason: Outcome.Reason? = nil
        ) {
            self.exit = AttemptExit(reply: reply, exit: exit, cause: cause, usage: .none)
            expected = Outcome(kind, reason)
        }
    }

    private static let done = TaskReply.succeeded(result: Array("1".utf8))
    private static let transient = TaskReply.failed(permanent: false, message: "no")
    private static let permanent = TaskReply.failed(permanent: true, message: "no")

    private static let byItself = [
        Row(done, .exited(code: 0), .succeeded),
        Row(.none, .exited(code: 0), .succeeded),
        Row(done, .exited(code: 1), .failedTransient, .exitCode),
        Row(.none, .exited(code: 1), .failedTransient, .exitCode),
        Row(.none, .exited(code: 75), .failedTransient, .exitCode),
        Row(.none, .exited(code: 78), .failedPermanent, .exitCode),
        Row(done, .exited(code: 78), .failedPermanent, .exitCode),
        Row(transient, .exited(code: 0), .failedTransient, .taskError),
        Row(transient, .exited(code: 78), .failedTransient, .taskError),
        Row(permanent, .exited(code: 0), .failedPermanent, .taskError),
        Row(permanent, .exited(code: 75), .failedPermanent, .taskError),
        Row(.none, .signaled(signal: 9), .killed, .signal),
        Row(done, .signaled(signal: 11), .killed, .signal),
        Row(transient, .signaled(signal: 9), .killed, .signal),
        Row(permanent, .signaled(signal: 25), .failedPermanent, .signal),
        Row(.none, .notStarted, .failedTransient, .notStarted),
    ]

    private static func refused(_ errno: Int32) -> EndCause {
        .layerRefused(LayerFailure(layer: "mounts", errno: errno, detail: ""))
    }

    private static let denied = EndCause.deniedSyscall(name: "mount", number: 165, arguments: [])

    private static let fromOutside = [
        Row(.none, .notStarted, cause: refused(1), .failedPermanent, .layerRefused),
        // A path of the host that a profile names is not there, as a disk that is mounted later.
        Row(.none, .notStarted, cause: refused(2), .failedTransient, .noResources),
        Row(.none, .notStarted, cause: refused(20), .failedTransient, .noResources),
        Row(.none, .notStarted, cause: refused(38), .failedPermanent, .layerRefused),
        Row(
            .none, .notStarted, cause: .orderRefused(message: ""), .failedPermanent, .orderRefused),
        Row(.none, .notStarted, cause: .noPlace(message: ""), .failedTransient, .noResources),
        Row(
            .none, .signaled(signal: 9), cause: .diedInSetUp(message: ""), .failedTransient,
            .notStarted),
        Row(
            .none, .exited(code: 127), cause: .diedInSetUp(message: ""), .failedTransient,
            .notStarted),
        Row(
            done, .exited(code: 0), cause: .protocolViolation(message: ""), .failedPermanent,
            .protocolViolation),
        Row(.none, .signaled(signal: 9), cause: .outOfMemory, .killed, .outOfMemory),
        Row(.none, .signaled(signal: 31), cause: denied, .killed, .deniedSyscall),
        Row(.none, .signaled(signal: 9), cause: .timedOut, .timedOut),
        Row(done, .exited(code: 0), cause: .timedOut, .timedOut),
        Row(.none, .signaled(signal: 9), cause: .cancelled(.requested), .cancelled, .requested),
        Row(.none, .signaled(signal: 9), cause: .cancelled(.timeout), .timedOut),
        Row(.none, .signaled(signal: 9), cause: .cancelled(.superseded), .cancelled, .superseded),
        Row(.none, .signaled(signal: 9), cause: .cancelled(.shutdown), .interrupted, .shutdown),
        Row(transient, .exited(code: 1), cause: .cancelled(.requested), .cancelled, .requested),
        // Asked to stop, it had done its work all the same.
        Row(done, .exited(code: 0), cause: .cancelled(.requested), .succeeded),
        Row(done, .exited(code: 0), cause: .cancelled(.superseded), .succeeded),
        Row(done, .exited(code: 0), cause: .cancelled(.shutdown), .succeeded),
        Row(done, .exited(code: 0), cause: .cancelled(.timeout), .timedOut),
        Row(done, .exited(code: 1), cause: .cancelled(.requested), .cancelled, .requested),
        Row(.none, .exited(code: 0), cause: .cancelled(.requested), .cancelled, .requested),
    ]

    @Test(arguments: byItself + fromOutside)
    func outcome(row: Row) {
        #expect(OutcomeRules.outcome(of: row.exit) == row.expected)
    }

    /// EAGAIN, ENOMEM, EBUSY, ENFILE, EMFILE, ENOSPC, ENOBUFS, ETOOMANYREFS, ETIMEDOUT: they pass
    /// by themselves.
    @Test(arguments: [11, 12, 16, 23, 24, 28, 105, 109, 110] as [Int32])
    func aLackAtSetUpIsTransient(errno: Int32) {
        let exit = AttemptExit(
            reply: .none, exit: .notStarted, cause: Self.refused(errno), usage: .none)
        #expect(OutcomeRules.outcome(of: exit) == Outcome(.failedTransient, .noResources))
    }

    @Test func everyCauseDecidesWhateverTheTaskSays() {
        for row in Self.fromOutside {
            guard let cause = row.exit.cause else { continue }
            for reply in [Self.done, Self.transient, Self.permanent, .none] {
                let exit = AttemptExit(
                    reply: reply, exit: .signaled(signal: 9), cause: cause, usage: .none)
                #expect(OutcomeRules.outcome(of: exit).kind != .succeeded)
            }
        }
    }

    struct Step: Sendable, CustomTestStringConvertible {
        let outcome: Outcome
        var attempts = 1
        var onCrash = CrashPolicy.fail
        var mayRetry = true
        let expected: NextStep
        var testDescription: String {
            "\(outcome), attempt \(attempts), \(onCrash), may retry \(mayRetry)"
        }
    }

    @Test(arguments: [
        Step(outcome: Outcome(.succeeded), expected: .done),
        Step(outcome: Outcome(.cancelled, .requested), expected: .done),
        Step(outcome: Outcome(.failedPermanent, .exitCode), expected: .deadLetter),
        Step(
            outcome: Outcome(.failedTransient, .exitCode), expected: .retry(after: .seconds(60))
        ),
        Step(
            outcome: Outcome(.failedTransient, .exitCode), attempts: 2,
            expected: .retry(after: .seconds(120))),
        Step(
            outcome: Outcome(.failedTransient, .exitCode), attempts: 3, expected: .deadLetter),
        Step(
            outcome: Outcome(.failedTransient, .exitCode), mayRetry: false,
            expected: .deadLetter),
        Step(outcome: Outcome(.timedOut), expected: .retry(after: .seconds(60))),
        Step(outcome: Outcome(.killed, .signal), expected: .retry(after: .seconds(60))),
        Step(outcome: Outcome(.killed, .outOfMemory), expected: .deadLetter),
        Step(outcome: Outcome(.killed, .deniedSyscall), expected: .deadLetter),
        Step(outcome: Outcome(.interrupted, .workerDied), expected: .deadLetter),
        Step(
            outcome: Outcome(.interrupted, .workerDied), onCrash: .rerun,
            expected: .retry(after: .zero)),
        Step(
            outcome: Outcome(.interrupted, .workerDied), attempts: 2, onCrash: .rerun,
            expected: .retry(after: .zero)),
        Step(
            outcome: Outcome(.interrupted, .workerDied), attempts: 3, onCrash: .rerun,
            expected: .deadLetter),
        Step(
            outcome: Outcome(.interrupted, .shutdown), onCrash: .rerun, mayRetry: false,
            expected: .deadLetter),
    ])
    func next(row: Step) {
        let policies = TaskPolicies(retry: RetryPolicy(count: 2), onCrash: row.onCrash)
        #expect(
            OutcomeRules.next(
                after: row.outcome, attempts: row.attempts, policies: policies,
                mayRetry: row.mayRetry, seed: "a") == row.expected)
    }

    @Test func aTaskWithoutRetriesIsRerunOnceAfterACrash() {
        let policies = TaskPolicies(retry: RetryPolicy(count: 0), onCrash: .rerun)
        func step(_ attempts: Int) -> NextStep {
            OutcomeRules.next(
                after: Outcome(.interrupted, .workerDied), attempts: attempts,
                policies: policies, mayRetry: true, seed: "a")
        }
        #expect(step(1) == .retry(after: .zero))
        #expect(step(2) == .deadLetter)
    }
}
