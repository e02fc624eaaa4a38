// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Testing

struct OutcomeRulesTests {
    private typealias Facts = AttemptFacts

    struct Row: Sendable, CustomTestStringConvertible {
        let facts: AttemptFacts
        let expected: Judgement
        var testDescription: String { "\(facts)" }

        init(
            _ verdict: AttemptFacts.Verdict, _ exit: AttemptFacts.Exit,
            cause: AttemptFacts.Cause? = nil, _ outcome: ExecutionOutcome,
            _ reason: OutcomeReason? = nil
        ) {
            facts = AttemptFacts(verdict: verdict, exit: exit, cause: cause)
            expected = Judgement(outcome, reason)
        }
    }

    private static let byItself = [
        Row(.succeeded, .code(0), .succeeded),
        Row(.none, .code(0), .succeeded),
        Row(.succeeded, .code(1), .failedTransient, .exitCode),
        Row(.none, .code(1), .failedTransient, .exitCode),
        Row(.none, .code(75), .failedTransient, .exitCode),
        Row(.none, .code(78), .failedPermanent, .exitCode),
        Row(.succeeded, .code(78), .failedPermanent, .exitCode),
        Row(.failedTransiently, .code(0), .failedTransient, .taskError),
        Row(.failedTransiently, .code(78), .failedTransient, .taskError),
        Row(.failedPermanently, .code(0), .failedPermanent, .taskError),
        Row(.failedPermanently, .code(75), .failedPermanent, .taskError),
        Row(.none, .signal(9), .killed, .signal),
        Row(.succeeded, .signal(11), .killed, .signal),
        Row(.none, .notStarted, .failedTransient, .notStarted),
    ]

    private static let fromOutside = [
        Row(.none, .notStarted, cause: .layerRefused, .failedPermanent, .layerRefused),
        Row(.none, .notStarted, cause: .orderRefused, .failedPermanent, .orderRefused),
        Row(.succeeded, .code(0), cause: .protocolViolation, .failedPermanent, .protocolViolation),
        Row(.none, .signal(9), cause: .outOfMemory, .killed, .outOfMemory),
        Row(.none, .signal(31), cause: .deniedSyscall, .killed, .deniedSyscall),
        Row(.none, .signal(9), cause: .timedOut, .timedOut),
        Row(.succeeded, .code(0), cause: .timedOut, .timedOut),
        Row(.none, .signal(9), cause: .cancelRequested, .cancelled, .requested),
        Row(.none, .signal(9), cause: .superseded, .cancelled, .superseded),
        Row(.none, .signal(9), cause: .shutdown, .interrupted, .shutdown),
        Row(.failedTransiently, .code(1), cause: .cancelRequested, .cancelled, .requested),
        // Asked to stop, it had done its work all the same.
        Row(.succeeded, .code(0), cause: .cancelRequested, .succeeded),
        Row(.succeeded, .code(0), cause: .superseded, .succeeded),
        Row(.succeeded, .code(0), cause: .shutdown, .succeeded),
        Row(.succeeded, .code(1), cause: .cancelRequested, .cancelled, .requested),
        Row(.none, .code(0), cause: .cancelRequested, .cancelled, .requested),
    ]

    @Test(arguments: byItself + fromOutside)
    func judgement(row: Row) {
        #expect(OutcomeRules.judge(row.facts) == row.expected)
    }

    @Test func everyCauseDecidesWhateverTheTaskSays() {
        for cause in Facts.Cause.allCases {
            for verdict in Facts.Verdict.allCases {
                let facts = Facts(verdict: verdict, exit: .signal(9), cause: cause)
                #expect(OutcomeRules.judge(facts).outcome != .succeeded)
            }
        }
    }

    struct Step: Sendable, CustomTestStringConvertible {
        let judgement: Judgement
        var attempts = 1
        var onCrash = CrashPolicy.fail
        var mayRetry = true
        let expected: NextStep
        var testDescription: String {
            "\(judgement), attempt \(attempts), \(onCrash), may retry \(mayRetry)"
        }
    }

    @Test(arguments: [
        Step(judgement: Judgement(.succeeded), expected: .done),
        Step(judgement: Judgement(.cancelled, .requested), expected: .done),
        Step(judgement: Judgement(.failedPermanent, .exitCode), expected: .deadLetter),
        Step(
            judgement: Judgement(.failedTransient, .exitCode), expected: .retry(after: .seconds(60))
        ),
        Step(
            judgement: Judgement(.failedTransient, .exitCode), attempts: 2,
            expected: .retry(after: .seconds(120))),
        Step(
            judgement: Judgement(.failedTransient, .exitCode), attempts: 3, expected: .deadLetter),
        Step(
            judgement: Judgement(.failedTransient, .exitCode), mayRetry: false,
            expected: .deadLetter),
        Step(judgement: Judgement(.timedOut), expected: .retry(after: .seconds(60))),
        Step(judgement: Judgement(.killed, .signal), expected: .retry(after: .seconds(60))),
        Step(judgement: Judgement(.killed, .outOfMemory), expected: .deadLetter),
        Step(judgement: Judgement(.killed, .deniedSyscall), expected: .deadLetter),
        Step(judgement: Judgement(.interrupted, .workerDied), expected: .deadLetter),
        Step(
            judgement: Judgement(.interrupted, .workerDied), onCrash: .rerun,
            expected: .retry(after: .zero)),
        Step(
            judgement: Judgement(.interrupted, .workerDied), attempts: 2, onCrash: .rerun,
            expected: .retry(after: .zero)),
        Step(
            judgement: Judgement(.interrupted, .workerDied), attempts: 3, onCrash: .rerun,
            expected: .deadLetter),
        Step(
            judgement: Judgement(.interrupted, .shutdown), onCrash: .rerun, mayRetry: false,
            expected: .deadLetter),
    ])
    func next(row: Step) {
        let policies = TaskPolicies(retry: RetryPolicy(count: 2), onCrash: row.onCrash)
        #expect(
            OutcomeRules.next(
                after: row.judgement, attempts: row.attempts, policies: policies,
                mayRetry: row.mayRetry, seed: "a") == row.expected)
    }

    @Test func aTaskWithoutRetriesIsRerunOnceAfterACrash() {
        let policies = TaskPolicies(retry: RetryPolicy(count: 0), onCrash: .rerun)
        func step(_ attempts: Int) -> NextStep {
            OutcomeRules.next(
                after: Judgement(.interrupted, .workerDied), attempts: attempts,
                policies: policies, mayRetry: true, seed: "a")
        }
        #expect(step(1) == .retry(after: .zero))
        #expect(step(2) == .deadLetter)
    }
}
