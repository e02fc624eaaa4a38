// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Where an execution stands.
package enum ExecutionState: String, Sendable, CaseIterable {
    /// An attempt is written as running.
    case running
    /// An attempt failed and the next one waits for `retryAt`.
    case waiting
    /// Done, whatever the outcome.
    case ended
}

/// What started an execution.
package enum ExecutionTrigger: String, Sendable, CaseIterable {
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
package struct StoredExecution: Sendable, Equatable {
    /// The execution's id, a lower-case UUID.
    package var id: String
    /// The task's name.
    package var taskID: String
    /// The task's identity.
    package var taskUID: String
    /// What started it.
    package var trigger: ExecutionTrigger
    /// The planned instant, or the request's for a manual run.
    package var plannedAt: Instant
    /// When it was claimed.
    package var startedAt: Instant
    /// When it ended; nil while it runs or waits.
    package var completedAt: Instant?
    /// Where it stands.
    package var state: ExecutionState
    /// The outcome's name once there is one, as `succeeded`.
    package var outcome: String?
    /// A word a program can read on why, as `timeout`.
    package var reason: String?
    /// True where it succeeded; nil before it ended.
    package var success: Bool?
    /// From claim to end.
    package var duration: Duration?
    /// How many attempts were started.
    package var attempts: Int
    /// When the next attempt is due, in state `waiting`.
    package var retryAt: Instant?
    /// The task's result: one JSON value in UTF-8.
    package var result: [UInt8]?
    /// What went wrong, for people.
    package var errorMessage: String?
    /// True where result or error message stand in the store but did not open.
    package var isUnreadable: Bool

    package init(
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
package struct StoredAttempt: Sendable, Equatable {
    /// The row id: `AttemptKey.value` on the wire.
    package var key: UInt64
    /// The execution it belongs to.
    package var executionID: String
    /// The task's name.
    package var taskID: String
    /// The task's identity.
    package var taskUID: String
    /// 1 for the first try.
    package var number: UInt32
    /// The execution's planned instant.
    package var plannedAt: Instant
    /// When it was written as running.
    package var startedAt: Instant
    /// When it ended; nil while it runs.
    package var endedAt: Instant?
    /// The outcome's name once it ended.
    package var outcome: String?
    /// How it ended, as JSON of the scheduler's making; readable in the store.
    package var ending: [UInt8]?
    /// What went wrong, for people.
    package var errorMessage: String?
    /// Which confinement layers held, as JSON of the scheduler's making.
    package var layers: [UInt8]?

    package init(
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
package struct StoredLogLine: Sendable, Equatable {
    /// The row id; grows with every line, the cursor of `logs(execution:after:limit:)`.
    package var id: Int64
    /// The attempt it came from.
    package var attempt: UInt64
    /// The report's sequence number.
    package var sequence: UInt32
    /// `LogStream.rawValue` of the wire.
    package var stream: UInt8
    /// When the task wrote it.
    package var at: Instant
    /// The text; nil where it did not open.
    package var line: String?

    package init(
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
package struct StoredDeadLetter: Sendable, Equatable {
    /// The row id.
    package var id: Int64
    /// The execution that failed.
    package var executionID: String
    /// The task's name.
    package var taskID: String
    /// The task's identity.
    package var taskUID: String
    /// When it was given up.
    package var at: Instant
    /// The outcome's name, as `failed_permanent`.
    package var reason: String
    /// How many attempts it had.
    package var attempts: Int
    /// When it was sent back, if it was.
    package var resolvedAt: Instant?
    /// The execution that took its place.
    package var retriedAs: String?

    package init(
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
package enum OccurrenceDisposition: String, Sendable, CaseIterable {
    case ran
    case skipped
    /// Waits: may still become any of the others.
    case deferred
    case missed
    case coalesced
}

/// A planned instant of a task and what became of it.
package struct StoredOccurrence: Sendable, Equatable {
    /// The task's name.
    package var taskID: String
    /// The task's identity.
    package var taskUID: String
    /// The planned instant.
    package var plannedAt: Instant
    /// What became of it.
    package var disposition: OccurrenceDisposition
    /// A word a program can read on why, as `overlap`; may be empty.
    package var reason: String
    /// What starts it, where it waits; nil for what is decided.
    package var trigger: ExecutionTrigger?
    /// The execution that it became, or is to become while it waits.
    package var executionID: String?
    /// When this was decided.
    package var decidedAt: Instant

    package init(
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
