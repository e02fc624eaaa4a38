// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// How an attempt or an execution came out, and why.
package struct Outcome: Sendable, Hashable {
    /// How it came out; the raw value is its name in records, events and on the command line.
    package enum Kind: String, Sendable, CaseIterable {
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

    /// A word a program can read on why the outcome is as it is.
    package enum Reason: String, Sendable, CaseIterable {
        case exitCode = "exit_code"
        case taskError = "task_error"
        case layerRefused = "layer_refused"
        case orderRefused = "order_refused"
        case protocolViolation = "protocol_violation"
        case notStarted = "not_started"
        /// The machine had no room for it: memory, descriptors, processes, disk, a place.
        case noResources = "no_resources"
        case outOfMemory = "out_of_memory"
        case deniedSyscall = "denied_syscall"
        case signal
        case requested
        case superseded
        case shutdown
        case workerDied = "worker_died"
        case schedulerDied = "scheduler_died"
        /// Its task was deleted, or does not open.
        case taskGone = "task_gone"
    }

    /// How it came out.
    package var kind: Kind
    /// Why; nil where the kind says it all.
    package var reason: Reason?

    package init(_ kind: Kind, _ reason: Reason? = nil) {
        self.kind = kind
        self.reason = reason
    }
}

extension CancelReason {
    /// What an execution comes to that this ended before it could say anything itself.
    package var outcome: Outcome {
        switch self {
        case .requested: Outcome(.cancelled, .requested)
        case .timeout: Outcome(.timedOut)
        case .superseded: Outcome(.cancelled, .superseded)
        case .shutdown: Outcome(.interrupted, .shutdown)
        }
    }
}
