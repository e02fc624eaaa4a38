// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// How an attempt or an execution came out.
public enum ExecutionOutcome: String, Sendable, CaseIterable {
    case succeeded
    /// It failed in a way that a later attempt may not.
    case failedTransient = "failed_transient"
    /// It failed in a way that every attempt will.
    case failedPermanent = "failed_permanent"
    case timedOut = "timed_out"
    /// A limit, a denied system call or a signal ended it.
    case killed
    case cancelled
    /// Its worker or the scheduler ended under it.
    case interrupted
}

/// A word a program can read on why an outcome is as it is.
public enum OutcomeReason: String, Sendable, CaseIterable {
    case exitCode = "exit_code"
    case taskError = "task_error"
    case layerRefused = "layer_refused"
    case orderRefused = "order_refused"
    case protocolViolation = "protocol_violation"
    case notStarted = "not_started"
    case outOfMemory = "out_of_memory"
    case deniedSyscall = "denied_syscall"
    case signal
    case requested
    case superseded
    case shutdown
    case workerDied = "worker_died"
    case schedulerDied = "scheduler_died"
}

/// An outcome with its reason.
public struct Judgement: Sendable, Hashable {
    /// How it came out.
    public var outcome: ExecutionOutcome
    /// Why; nil where the outcome says it all.
    public var reason: OutcomeReason?

    /// Makes a judgement.
    public init(_ outcome: ExecutionOutcome, _ reason: OutcomeReason? = nil) {
        self.outcome = outcome
        self.reason = reason
    }
}

/// What is known of an attempt's end, free of the wire's forms.
public struct AttemptFacts: Sendable, Hashable {
    /// The task's own word.
    public enum Verdict: Sendable, Hashable, CaseIterable {
        case succeeded
        case failedTransiently
        case failedPermanently
        /// It ended without a word.
        case none
    }

    /// How its process ended.
    public enum Exit: Sendable, Hashable {
        case code(Int32)
        case signal(Int32)
        /// No process came to be.
        case notStarted
    }

    /// What was done to it from outside, if anything.
    public enum Cause: Sendable, Hashable, CaseIterable {
        case layerRefused
        case orderRefused
        case timedOut
        case cancelRequested
        case superseded
        case shutdown
        case outOfMemory
        case deniedSyscall
        case protocolViolation
    }

    /// The task's own word.
    public var verdict: Verdict
    /// How its process ended.
    public var exit: Exit
    /// What was done to it from outside.
    public var cause: Cause?

    /// Makes facts.
    public init(verdict: Verdict, exit: Exit, cause: Cause? = nil) {
        self.verdict = verdict
        self.exit = exit
        self.cause = cause
    }
}
