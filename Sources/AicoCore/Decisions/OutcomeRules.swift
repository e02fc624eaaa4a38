// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// What follows an attempt.
package enum NextStep: Sendable, Hashable {
    /// The execution is over.
    case done
    /// A further attempt after this time.
    case retry(after: Duration)
    /// The execution is over and its failure is kept for somebody to look at.
    case deadLetter
}

/// Turns what is known of an attempt's end into an outcome, and the outcome into what follows.
package enum OutcomeRules {
    /// The exit code of a failure that may pass, EX_TEMPFAIL of sysexits.h.
    package static let temporaryFailureCode: Int32 = 75
    /// The exit code of a failure that will not, EX_CONFIG of sysexits.h.
    package static let configurationFailureCode: Int32 = 78

    /// Judges an attempt. The cause from outside comes first, then the process, then its word.
    package static func outcome(of exit: AttemptExit) -> Outcome {
        switch exit.cause {
        case .layerRefused(let failure): return refused(failure)
        case .orderRefused: return Outcome(.failedPermanent, .orderRefused)
        case .noPlace: return Outcome(.failedTransient, .noResources)
        case .diedInSetUp: return Outcome(.failedTransient, .notStarted)
        case .protocolViolation: return Outcome(.failedPermanent, .protocolViolation)
        case .outOfMemory: return Outcome(.killed, .outOfMemory)
        case .deniedSyscall: return Outcome(.killed, .deniedSyscall)
        case .timedOut: return Outcome(.timedOut)
        case .cancelled(let reason):
            // A task that was asked to stop and had done its work all the same succeeded.
            return reason != .timeout && hasSucceeded(exit) ? Outcome(.succeeded) : reason.outcome
        case nil: return ofProcess(exit)
        }
    }

    /// Says what follows.
    ///
    /// - Parameters:
    ///   - attempts: how many there were, this one included.
    ///   - mayRetry: false where the task is gone or somebody asked to stop.
    ///   - seed: decides the retry's jitter.
    package static func next(
        after outcome: Outcome, attempts: Int, policies: TaskPolicies, mayRetry: Bool,
        seed: String
    ) -> NextStep {
        switch outcome.kind {
        case .succeeded, .cancelled:
            return .done
        case .failedPermanent:
            return .deadLetter
        case .killed where outcome.reason != .signal:
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

    /// A layer that a lack of something refused may hold the next time; any other never will.
    private static func refused(_ failure: LayerFailure) -> Outcome {
        TransientErrno.contains(failure.errno) || failure.isMissingPath
            ? Outcome(.failedTransient, .noResources) : Outcome(.failedPermanent, .layerRefused)
    }

    private static func hasSucceeded(_ exit: AttemptExit) -> Bool {
        guard case .succeeded = exit.reply else { return false }
        return exit.exit == .exited(code: 0)
    }

    private static func ofProcess(_ exit: AttemptExit) -> Outcome {
        switch (exit.exit, exit.reply) {
        case (.notStarted, _): return Outcome(.failedTransient, .notStarted)
        // What stopped it meets it again, as a program for a foreign architecture.
        case (.signaled, .failed(permanent: true, _)): return Outcome(.failedPermanent, .signal)
        case (.signaled, _): return Outcome(.killed, .signal)
        case (.exited, .failed(permanent: true, _)): return Outcome(.failedPermanent, .taskError)
        case (.exited, .failed(permanent: false, _)): return Outcome(.failedTransient, .taskError)
        case (.exited(0), .succeeded), (.exited(0), .none): return Outcome(.succeeded)
        case (.exited(configurationFailureCode), .succeeded),
            (.exited(configurationFailureCode), .none):
            return Outcome(.failedPermanent, .exitCode)
        case (.exited, .succeeded), (.exited, .none): return Outcome(.failedTransient, .exitCode)
        }
    }
}

extension LayerFailure {
    /// Whether a path that a profile names was not there, as a disk that is not mounted yet: ENOENT
    /// and ENOTDIR of Linux at the mounts.
    fileprivate var isMissingPath: Bool { layer == "mounts" && [2, 20].contains(errno) }
}

/// Failures of calls that pass by themselves: the machine lacked something for a moment.
package enum TransientErrno {
    /// EAGAIN, ENOMEM, EBUSY, ENFILE, EMFILE, ENOSPC, ENOBUFS, ETOOMANYREFS and ETIMEDOUT of Linux;
    /// see errno(3).
    package static func contains(_ errno: Int32) -> Bool {
        [11, 12, 16, 23, 24, 28, 105, 109, 110].contains(errno)
    }
}
