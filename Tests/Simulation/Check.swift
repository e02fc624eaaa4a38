// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// What must hold whatever happens; the raw value is its name in what is printed.
package enum Check: String, Sendable, CaseIterable {
    /// An instant that a task's plan passed has a row.
    case instantHasRow = "instant_has_row"
    /// An instant of a task runs once.
    case instantRunsOnce = "instant_runs_once"
    /// What the clock starts is an instant of the task's schedule.
    case claimIsPlanned = "claim_is_planned"
    /// A task does not run beside itself but by its policy.
    case overlap
    /// No more runs at once than there are places.
    case places
    /// Nothing starts before its instant.
    case beforeInstant = "before_instant"
    /// An order leaves after its commit, once, and is what the store says.
    case orders
    /// A request has one reply.
    case oneReply = "one_reply"
    /// What was answered is so in the store.
    case answered
    /// What was refused is not in the store.
    case refused
    /// An event leaves after its commit.
    case eventAfterCommit = "event_after_commit"
    /// An execution runs what the task is that planned it.
    case identity
    /// What the core has is what the store has, once nothing waits to be written.
    case agreement
    /// In quiet every instant is started or has a reason, in time.
    case onTime = "on_time"
    /// In quiet nothing waits beyond its bound.
    case liveness
    /// In quiet nothing stays on its way into the store.
    case stuck
    /// In quiet every class takes orders.
    case workersReady = "workers_ready"
    /// A stop ends within its bound.
    case stopEnds = "stop_ends"
    /// Attempts are as many as the policies say, neither more nor fewer.
    case attempts
    /// An idle machine is one.
    case idleOnly = "idle_only"
    /// Nothing starts on a load that is not known yet.
    case loadKnown = "load_known"
    /// `@reboot` is once for a boot.
    case reboot
    /// A worker that does its work is not killed.
    case healthyWorker = "healthy_worker"
    /// What ended is what a worker said that ran it.
    case reportsTrue = "reports_true"
    /// A worker that breaks the protocol is not heard any longer.
    case protocolKept = "protocol_kept"
    /// The real store says and has what its model does, and nothing of what it told as failed.
    case store
    /// The loop does not turn without end.
    case spin
    /// Only tests break it.
    case testOnly = "test_only"
}

/// A check that did not hold.
package struct Violation: Sendable, Equatable {
    /// Which.
    package var check: Check
    /// What was seen.
    package var words: String
}
