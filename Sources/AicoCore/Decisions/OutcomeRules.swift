// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// What follows an attempt.
public enum NextStep: Sendable, Hashable {
    /// The execution is over.
    case done
    /// A further attempt after this time.
    case retry(after: Duration)
    /// The execution is over and its failure is kept for somebody to look at.
    case deadLetter
}

/// Turns what is known of an attempt's end into an outcome, and the outcome into what follows.
public enum OutcomeRules {
    /// The exit code of a failure that may pass, EX_TEMPFAIL of sysexits.h.
    public static let temporaryFailureCode: Int32 = 75
    /// The exit code of a failure that will not, EX_CONFIG of sysexits.h.
    public static let configurationFailureCode: Int32 = 78

    /// Judges an attempt. The cause from outside comes first, then the process, then its word.
    public static func judge(_ facts: AttemptFacts) -> Judgement {
        switch facts.cause {
        case .layerRefused: return Judgement(.failedPermanent, .layerRefused)
        case .orderRefused: return Judgement(.failedPermanent, .orderRefused)
        case .protocolViolation: return Judgement(.failedPermanent, .protocolViolation)
        case .outOfMemory: return Judgement(.killed, .outOfMemory)
        case .deniedSyscall: return Judgement(.killed, .deniedSyscall)
        case .timedOut: return Judgement(.timedOut)
        case .cancelRequested: return stopped(facts, Judgement(.cancelled, .requested))
        case .superseded: return stopped(facts, Judgement(.cancelled, .superseded))
        case .shutdown: return stopped(facts, Judgement(.interrupted, .shutdown))
        case nil: return judgeProcess(facts)
        }
    }

    /// Says what follows.
    ///
    /// - Parameters:
    ///   - attempts: how many there were, this one included.
    ///   - mayRetry: false where the task is gone or somebody asked to stop.
    ///   - seed: decides the retry's jitter.
    public static func next(
        after judgement: Judgement, attempts: Int, policies: TaskPolicies, mayRetry: Bool,
        seed: String
    ) -> NextStep {
        switch judgement.outcome {
        case .succeeded, .cancelled:
            return .done
        case .failedPermanent:
            return .deadLetter
        case .killed where judgement.reason != .signal:
            // The same limit and the same filter meet it again.
            return .deadLetter
        case .failedTransient, .timedOut, .killed:
            guard mayRetry,
                let delay = policies.retry.delay(afterAttempts: attempts, seed: seed)
            else { return .deadLetter }
            return .retry(after: delay)
        case .interrupted:
            // Not its own failure: no delay, but the same bound against a task that kills workers.
            guard policies.onCrash == .rerun, mayRetry, attempts <= max(policies.retry.count, 1)
            else { return .deadLetter }
            return .retry(after: .zero)
        }
    }

    /// A task that was asked to stop and had done its work all the same succeeded.
    private static func stopped(_ facts: AttemptFacts, _ otherwise: Judgement) -> Judgement {
        facts.verdict == .succeeded && facts.exit == .code(0) ? Judgement(.succeeded) : otherwise
    }

    private static func judgeProcess(_ facts: AttemptFacts) -> Judgement {
        switch (facts.exit, facts.verdict) {
        case (.notStarted, _): return Judgement(.failedTransient, .notStarted)
        case (.signal, _): return Judgement(.killed, .signal)
        case (.code, .failedPermanently): return Judgement(.failedPermanent, .taskError)
        case (.code, .failedTransiently): return Judgement(.failedTransient, .taskError)
        case (.code(0), .succeeded), (.code(0), .none): return Judgement(.succeeded)
        case (.code(configurationFailureCode), .succeeded),
            (.code(configurationFailureCode), .none):
            return Judgement(.failedPermanent, .exitCode)
        case (.code, .succeeded), (.code, .none): return Judgement(.failedTransient, .exitCode)
        }
    }
}
