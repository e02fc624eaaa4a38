// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import AicoCore

/// One run of a task that is not over: due, claimed, running or waiting for its next attempt.
package struct Execution: Sendable {
    /// An attempt whose row says running.
    package struct Attempt: Sendable {
        /// Its key in the store and on the wire.
        package let key: AttemptKey
        /// 1 for the first.
        package let number: UInt32
        /// The sequence number that its next report must have.
        var sequence: UInt32 = 0
        /// Whether its order has left.
        var isSent = false
        /// Whether its code runs.
        var isStarted = false
        var logLines = 0
        var logBytes = 0
        /// When its processes are killed, once it was told to end.
        var killedAt: Instant?
    }

    /// Its id, a lower-case UUID.
    package let id: String
    /// The task that planned it, or that it was asked for.
    package let task: TaskKey
    /// The number of the worker that has its type; nil where none has. A million may wait: no name.
    let workerNumber: UInt8?
    /// What started it.
    package let trigger: ExecutionTrigger
    /// The planned instant, or the request's; unique with the task.
    package internal(set) var plannedAt: Instant
    /// How it runs, as of when it came to be.
    var policies: TaskPolicies
    /// Where it stands.
    package internal(set) var state: ExecutionState
    /// How many attempts it had, with the present one.
    package internal(set) var attempts = 0
    /// When it was claimed.
    package internal(set) var startedAt: Instant?
    /// The attempt that runs.
    package internal(set) var attempt: Attempt?
    /// The instant that its first order waits for, where it was claimed before.
    var startsAt: Instant?
    /// When its next attempt is due.
    package internal(set) var retryAt: Instant?
    /// The same by the boot clock, which no step of the wall clock moves.
    var retryDue: Duration?
    /// The dead letter that is sent back by it.
    var deadLetter: Int64?
    /// Who waits to hear that it exists.
    var asked: RequestID?
    /// Why its end was asked for.
    var cancelled: CancelReason?
    /// False once its task is deleted.
    var isWanted = true
    /// What holds it back, as it stands in the store.
    package internal(set) var recorded: Admission.Deferral?
    /// Since when it has waited for its start, or for its next attempt's once that was due.
    package internal(set) var queuedAt: Instant
    /// Since when the machine has held it back.
    var heldSince: Duration?
    /// Whether the machine no longer holds it back.
    var isExempt: Bool
    /// Whether it has had to wait for something else than the clock.
    var wasDeferred = false
    /// Whether it waits in its task's line, so that it does not run beside another.
    var isInLine = false
    /// Its present entry in the queue; 0 where it has none.
    var ticket: UInt64 = 0
    /// When nothing but the loop kept it from starting, by the boot clock.
    var allowedAt: Duration?

    init(
        id: String, task: TaskKey, worker: WorkerID?, trigger: ExecutionTrigger,
        plannedAt: Instant, policies: TaskPolicies, state: ExecutionState = .queued
    ) {
        self.id = id
        self.task = task
        workerNumber = worker.map { UInt8($0.number) }
        self.trigger = trigger
        self.plannedAt = plannedAt
        queuedAt = plannedAt
        self.policies = policies
        self.state = state
        isExempt = trigger.isRequested
    }

    /// The class whose profile confines it.
    package var taskClass: TaskClass { task.id.taskClass }

    /// Whether it has begun: an attempt of it was written.
    package var isOpen: Bool {
        switch state {
        case .claiming, .running, .waiting, .ending: true
        case .queued: attempts > 0
        case .withdrawing, .over: false
        }
    }

    /// How events name it.
    var subject: Published.Subject {
        Published.Subject(task: task.id, execution: id, attempt: attempts)
    }
}

extension ExecutionTrigger {
    /// Whether a person or program asked for it.
    package var isRequested: Bool {
        switch self {
        case .manual, .deadLetter: true
        case .schedule, .catchUp: false
        }
    }
}
