// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// What the scheduler tells a worker, one per frame on the class's `orders` pipe.
package enum Order: Sendable, Hashable {
    /// Run one attempt in a new task process.
    case run(AttemptOrder)
    /// End an attempt: a cancel frame to the task, then after `grace` the cgroup is killed.
    case cancel(attempt: AttemptKey, reason: CancelReason, grace: Duration)
    /// Answer with `Report.pong` of the same nonce; shows that the worker lives.
    case ping(nonce: UInt64)
}

/// A number the scheduler gives to each attempt, unique in its store.
package struct AttemptKey: Sendable, Hashable {
    /// The row id of the attempt.
    package let value: UInt64

    /// Wraps a row id.
    package init(_ value: UInt64) { self.value = value }
}

/// Why an attempt is ended from above.
package enum CancelReason: UInt8, Sendable, CaseIterable {
    case requested = 1
    case timeout = 2
    case superseded = 3
    case shutdown = 4
}

/// All that a worker needs to run one attempt.
package struct AttemptOrder: Sendable, Hashable {
    /// The largest accepted task config, in bytes of JSON.
    package static let maximumConfigBytes = 64 * 1024

    /// Identifies the attempt in every later order and report.
    package var attempt: AttemptKey
    /// The execution's id, a lower-case UUID; the same over all its attempts.
    package var executionID: String
    /// The task's id, as `user.backup`.
    package var taskID: String
    /// The task type's name, as `user.command`.
    package var taskType: String
    /// 1 for the first try.
    package var attemptNumber: UInt32
    /// The planned instant, or the request's for a manual run: the idempotency key with taskID.
    package var occurrence: Instant
    /// The wall-clock limit that the worker enforces.
    package var timeout: Duration
    /// From the cancel frame to the cgroup kill.
    package var grace: Duration
    /// The task's config: one JSON object in UTF-8.
    package var config: [UInt8]

    package init(
        attempt: AttemptKey, executionID: String, taskID: String, taskType: String,
        attemptNumber: UInt32, occurrence: Instant, timeout: Duration, grace: Duration,
        config: [UInt8]
    ) {
        self.attempt = attempt
        self.executionID = executionID
        self.taskID = taskID
        self.taskType = taskType
        self.attemptNumber = attemptNumber
        self.occurrence = occurrence
        self.timeout = timeout
        self.grace = grace
        self.config = config
    }
}
