// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Where an execution stands.
public enum ExecutionState: String, Sendable, CaseIterable {
    /// An attempt is written as running.
    case running
    /// An attempt failed and the next one waits for `retryAt`.
    case waiting
    /// Done, whatever the outcome.
    case ended
}

/// What started an execution.
public enum ExecutionTrigger: String, Sendable, CaseIterable {
    /// The clock, at its planned instant.
    case schedule
    /// The clock, for an instant missed while down.
    case catchUp = "catch_up"
    /// A `scheduler.task.run` request.
    case manual
    /// A dead letter that was sent back.
    case deadLetter = "dead_letter"
}

/// One run of a task: a row of `task_executions`.
public struct StoredExecution: Sendable, Equatable {
    /// The execution's id, a lower-case UUID.
    public var id: String
    /// The task's name.
    public var taskID: String
    /// The task's identity.
    public var taskUID: String
    /// What started it.
    public var trigger: ExecutionTrigger
    /// The planned instant, or the request's for a manual run.
    public var plannedAt: Instant
    /// When it was claimed.
    public var startedAt: Instant
    /// When it ended; nil while it runs or waits.
    public var completedAt: Instant?
    /// Where it stands.
    public var state: ExecutionState
    /// The outcome's name once there is one, as `succeeded`.
    public var outcome: String?
    /// A word a program can read on why, as `timeout`.
    public var reason: String?
    /// True where it succeeded; nil before it ended.
    public var success: Bool?
    /// From claim to end.
    public var duration: Duration?
    /// How many attempts were started.
    public var attempts: Int
    /// When the next attempt is due, in state `waiting`.
    public var retryAt: Instant?
    /// The task's result: one JSON value in UTF-8.
    public var result: [UInt8]?
    /// What went wrong, for people.
    public var errorMessage: String?
    /// True where result or error message stand in the store but did not open.
    public var isUnreadable: Bool

    /// Makes a record from its columns.
    public init(
        id: String, taskID: String, taskUID: String, trigger: ExecutionTrigger, plannedAt: Instant,
        startedAt: Instant, completedAt: Instant? = nil, state: ExecutionState,
        outcome: String? = nil, reason: String? = nil, success: Bool? = nil,
        duration: Duration? = nil, attempts: Int, retryAt: Instant? = nil, result: [UInt8]? = nil,
        errorMessage: String? = nil, isUnreadable: Bool = false
    ) {
        self.id = id
        self.taskID = taskID
        self.taskUID = taskUID
        self.trigger = trigger
        self.plannedAt = plannedAt
        self.startedAt = startedAt
        self.completedAt = completedAt
        self.state = state
        self.outcome = outcome
        self.reason = reason
        self.success = success
        self.duration = duration
        self.attempts = attempts
        self.retryAt = retryAt
        self.result = result
        self.errorMessage = errorMessage
        self.isUnreadable = isUnreadable
    }
}

/// One try of an execution: a row of `task_attempts`.
public struct StoredAttempt: Sendable, Equatable {
    /// The row id: `AttemptKey.value` on the wire.
    public var key: UInt64
    /// The execution it belongs to.
    public var executionID: String
    /// The task's name.
    public var taskID: String
    /// The task's identity.
    public var taskUID: String
    /// 1 for the first try.
    public var number: UInt32
    /// The execution's planned instant.
    public var plannedAt: Instant
    /// When it was written as running.
    public var startedAt: Instant
    /// When it ended; nil while it runs.
    public var endedAt: Instant?
    /// The outcome's name once it ended.
    public var outcome: String?
    /// How it ended, as JSON of the scheduler's making; readable in the store.
    public var ending: [UInt8]?
    /// What went wrong, for people.
    public var errorMessage: String?
    /// Which confinement layers held, as JSON of the scheduler's making.
    public var layers: [UInt8]?

    /// Makes a record from its columns.
    public init(
        key: UInt64, executionID: String, taskID: String, taskUID: String, number: UInt32,
        plannedAt: Instant, startedAt: Instant, endedAt: Instant? = nil, outcome: String? = nil,
        ending: [UInt8]? = nil, errorMessage: String? = nil, layers: [UInt8]? = nil
    ) {
        self.key = key
        self.executionID = executionID
        self.taskID = taskID
        self.taskUID = taskUID
        self.number = number
        self.plannedAt = plannedAt
        self.startedAt = startedAt
        self.endedAt = endedAt
        self.outcome = outcome
        self.ending = ending
        self.errorMessage = errorMessage
        self.layers = layers
    }
}

/// One line of an execution's output.
public struct StoredLogLine: Sendable, Equatable {
    /// The row id; grows with every line, the cursor of `logs(execution:after:limit:)`.
    public var id: Int64
    /// The attempt it came from.
    public var attempt: UInt64
    /// The report's sequence number.
    public var sequence: UInt32
    /// `LogStream.rawValue` of the wire.
    public var stream: UInt8
    /// When the task wrote it.
    public var at: Instant
    /// The text; nil where it did not open.
    public var line: String?

    /// Makes a record from its columns.
    public init(
        id: Int64, attempt: UInt64, sequence: UInt32, stream: UInt8, at: Instant,
        line: String? = nil
    ) {
        self.id = id
        self.attempt = attempt
        self.sequence = sequence
        self.stream = stream
        self.at = at
        self.line = line
    }
}

/// An execution that no retry is left for.
public struct StoredDeadLetter: Sendable, Equatable {
    /// The row id.
    public var id: Int64
    /// The execution that failed.
    public var executionID: String
    /// The task's name.
    public var taskID: String
    /// The task's identity.
    public var taskUID: String
    /// When it was given up.
    public var at: Instant
    /// The outcome's name, as `failed_permanent`.
    public var reason: String
    /// How many attempts it had.
    public var attempts: Int
    /// When it was sent back, if it was.
    public var resolvedAt: Instant?
    /// The execution that took its place.
    public var retriedAs: String?

    /// Makes a record from its columns.
    public init(
        id: Int64, executionID: String, taskID: String, taskUID: String, at: Instant,
        reason: String, attempts: Int, resolvedAt: Instant? = nil, retriedAs: String? = nil
    ) {
        self.id = id
        self.executionID = executionID
        self.taskID = taskID
        self.taskUID = taskUID
        self.at = at
        self.reason = reason
        self.attempts = attempts
        self.resolvedAt = resolvedAt
        self.retriedAs = retriedAs
    }
}

/// What became of a planned instant.
public enum OccurrenceDisposition: String, Sendable, CaseIterable {
    case ran
    case skipped
    /// Waits: may still become any of the others.
    case deferred
    case missed
    case coalesced
}

/// A planned instant of a task and what became of it.
public struct StoredOccurrence: Sendable, Equatable {
    /// The task's name.
    public var taskID: String
    /// The task's identity.
    public var taskUID: String
    /// The planned instant.
    public var plannedAt: Instant
    /// What became of it.
    public var disposition: OccurrenceDisposition
    /// A word a program can read on why, as `overlap`; may be empty.
    public var reason: String
    /// What starts it, where it waits; nil for what is decided.
    public var trigger: ExecutionTrigger?
    /// The execution that it became, or is to become while it waits.
    public var executionID: String?
    /// When this was decided.
    public var decidedAt: Instant

    /// Makes a record from its columns.
    public init(
        taskID: String, taskUID: String, plannedAt: Instant, disposition: OccurrenceDisposition,
        reason: String, trigger: ExecutionTrigger? = nil, executionID: String? = nil,
        decidedAt: Instant
    ) {
        self.taskID = taskID
        self.taskUID = taskUID
        self.plannedAt = plannedAt
        self.disposition = disposition
        self.reason = reason
        self.trigger = trigger
        self.executionID = executionID
        self.decidedAt = decidedAt
    }
}
