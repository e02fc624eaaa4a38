// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// What the scheduler tells a worker, one per frame on the class's `orders` pipe.
public enum Order: Sendable, Hashable {
    /// Run one attempt in a new task process.
    case run(AttemptOrder)
    /// End an attempt: a cancel frame to the task, then after `grace` the cgroup is killed.
    case cancel(attempt: AttemptKey, reason: CancelReason, grace: Duration)
    /// Answer with `Report.pong` of the same nonce; shows that the worker lives.
    case ping(nonce: UInt64)
}

/// A number the scheduler gives to each attempt, unique in its store.
public struct AttemptKey: Sendable, Hashable {
    /// The row id of the attempt.
    public let value: UInt64

    /// Wraps a row id.
    public init(_ value: UInt64) { self.value = value }
}

/// Why an attempt is ended from above.
public enum CancelReason: UInt8, Sendable, CaseIterable {
    case requested = 1
    case timeout = 2
    case superseded = 3
    case shutdown = 4
}

/// All that a worker needs to run one attempt.
public struct AttemptOrder: Sendable, Hashable {
    /// The largest accepted task config, in bytes of JSON.
    public static let maximumConfigBytes = 64 * 1024

    /// Identifies the attempt in every later order and report.
    public var attempt: AttemptKey
    /// The execution's id, a lower-case UUID; the same over all its attempts.
    public var executionID: String
    /// The task's id, as `user.backup`.
    public var taskID: String
    /// The task type's name, as `user.command`.
    public var taskType: String
    /// 1 for the first try.
    public var attemptNumber: UInt32
    /// The planned instant, or the request's for a manual run: the idempotency key with taskID.
    public var occurrence: Instant
    /// The wall-clock limit that the worker enforces.
    public var timeout: Duration
    /// From the cancel frame to the cgroup kill.
    public var grace: Duration
    /// The task's config: one JSON object in UTF-8.
    public var config: [UInt8]

    /// Makes an order from its parts.
    public init(
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
