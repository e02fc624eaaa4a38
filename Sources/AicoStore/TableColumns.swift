// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import GRDB

// The columns by which rows are read, a list for each table, all in the table's order; `Migrations`
// makes the tables. What only ever one value is read of has no list: `boot`, `key_check`,
// `settlings`.

/// The columns of `scheduled_tasks`.
enum TaskColumn: String, CaseIterable, ColumnExpression {
    case taskID = "task_id"
    case taskClass = "task_class"
    case schedule
    /// Sealed.
    case config
    case enabled
    case createdAt = "created_at"
    case updatedAt = "updated_at"
    case lastRun = "last_run"
    case nextRun = "next_run"
    case timezone
    case policies
    case origin
    case deletedAt = "deleted_at"
    case taskUID = "task_uid"
}

/// The columns of `task_executions`.
enum ExecutionColumn: String, CaseIterable, ColumnExpression {
    case id
    case taskID = "task_id"
    case executionID = "execution_id"
    case startedAt = "started_at"
    case completedAt = "completed_at"
    case success
    case durationSeconds = "duration_seconds"
    /// Sealed.
    case result
    /// Sealed.
    case errorMessage = "error_message"
    case retryCount = "retry_count"
    case state
    case triggerKind = "trigger_kind"
    case plannedAt = "planned_at"
    case outcome
    case reason
    case retryAt = "retry_at"
    case taskUID = "task_uid"
}

/// The columns of `task_attempts`.
enum AttemptColumn: String, CaseIterable, ColumnExpression {
    case id
    case executionID = "execution_id"
    case number
    case state
    case startedAt = "started_at"
    case endedAt = "ended_at"
    case outcome
    case ending
    case layers
    /// Sealed.
    case errorMessage = "error_message"
}

/// What attempts are joined with: the columns of their execution that they read.
///
/// None has the name of an attempt's column, since of two of a name a row gives the first.
enum AttemptExecutionColumn: String, CaseIterable, ColumnExpression {
    case taskID = "task_id"
    case taskUID = "task_uid"
    case plannedAt = "planned_at"
}

/// The columns of `occurrences`.
enum OccurrenceColumn: String, CaseIterable, ColumnExpression {
    case taskUID = "task_uid"
    case taskID = "task_id"
    case plannedAt = "planned_at"
    case disposition
    case reason
    case triggerKind = "trigger_kind"
    case executionID = "execution_id"
    case decidedAt = "decided_at"
}

/// The columns of `execution_logs`.
enum LogColumn: String, CaseIterable, ColumnExpression {
    case id
    case executionID = "execution_id"
    case attempt
    case sequence = "seq"
    case stream
    case at
    /// Sealed.
    case line
}

/// The columns of `dead_letters`.
enum DeadLetterColumn: String, CaseIterable, ColumnExpression {
    case id
    case executionID = "execution_id"
    case taskID = "task_id"
    case at
    case reason
    case attempts
    case resolvedAt = "resolved_at"
    case retriedAs = "retried_as"
    case taskUID = "task_uid"
}

/// The columns of `audit_log`.
enum AuditColumn: String, CaseIterable, ColumnExpression {
    case id
    case at
    case actor
    case action
    case subject
    case detail
    case previous
    case link
}

/// The columns of `audit_anchor`.
enum AuditAnchorColumn: String, CaseIterable, ColumnExpression {
    case only
    case lastID = "last_id"
    case removed
    case link
    case seal
}
