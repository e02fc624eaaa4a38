// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoKeys
import GRDB

/// Rows as records.
extension StoreReads {
    func execution(_ row: Row) throws(StoreError) -> StoredExecution {
        let id = String.fromDatabaseValue(row["execution_id"]) ?? "?"
        let columns = Columns(row: row, operation: "read execution", subject: id)
        let startedAt = try columns.instant("started_at")
        let seconds: Double? = columns.optional("duration_seconds")
        let result = opened(columns, "result")
        let message = opened(columns, "error_message")
        return StoredExecution(
            id: try columns.text("execution_id"), taskID: try columns.text("task_id"),
            taskUID: try columns.text("task_uid"), trigger: try columns.named("trigger_kind"),
            plannedAt: columns.optionalInstant("planned_at") ?? startedAt, startedAt: startedAt,
            completedAt: columns.optionalInstant("completed_at"),
            state: try columns.named("state"), outcome: columns.optional("outcome"),
            reason: columns.optional("reason"), success: columns.optional("success"),
            duration: seconds.flatMap(Self.duration),
            attempts: 1 + (columns.optional("retry_count") ?? 0),
            retryAt: columns.optionalInstant("retry_at"), result: result.bytes,
            errorMessage: message.bytes.map { String(decoding: $0, as: UTF8.self) },
            isUnreadable: result.isUnreadable || message.isUnreadable)
    }

    private func opened(_ columns: Columns, _ column: String)
        -> (bytes: [UInt8]?, isUnreadable: Bool)
    {
        guard let sealed: String = columns.optional(column) else { return (nil, false) }
        let bytes = try? sealer.openText(
            sealed, table: "task_executions", column: column, row: columns.subject)
        return (bytes, bytes == nil)
    }

    private static func duration(_ seconds: Double) -> Duration? {
        Int64(exactly: (seconds * 1_000_000).rounded(.towardZero)).map { .microseconds($0) }
    }

    /// Reads an attempt joined with `task_id`, `task_uid` and `planned_at` of its execution.
    func attempt(_ row: Row) throws(StoreError) -> StoredAttempt {
        let key = Int64.fromDatabaseValue(row["id"]) ?? 0
        let columns = Columns(row: row, operation: "read attempt", subject: String(key))
        let startedAt = try columns.instant("started_at")
        let ending: String? = columns.optional("ending")
        let layers: String? = columns.optional("layers")
        let sealed: String? = columns.optional("error_message")
        let message = sealed.flatMap {
            try? sealer.openText(
                $0, table: "task_attempts", column: "error_message", row: "\(key)")
        }
        return StoredAttempt(
            key: UInt64(bitPattern: key), executionID: try columns.text("execution_id"),
            taskID: try columns.text("task_id"), taskUID: try columns.text("task_uid"),
            number: try columns.value("number"),
            plannedAt: columns.optionalInstant("planned_at") ?? startedAt, startedAt: startedAt,
            endedAt: columns.optionalInstant("ended_at"), outcome: columns.optional("outcome"),
            ending: ending.map { Array($0.utf8) },
            errorMessage: message.map { String(decoding: $0, as: UTF8.self) },
            layers: layers.map { Array($0.utf8) })
    }

    func occurrence(_ row: Row) throws(StoreError) -> StoredOccurrence {
        let task = String.fromDatabaseValue(row["task_id"]) ?? "?"
        let columns = Columns(row: row, operation: "read an instant of", subject: task)
        let trigger: String? = columns.optional("trigger_kind")
        return StoredOccurrence(
            taskID: try columns.text("task_id"), taskUID: try columns.text("task_uid"),
            plannedAt: try columns.instant("planned_at"),
            disposition: try columns.named("disposition"), reason: try columns.text("reason"),
            trigger: trigger.flatMap(ExecutionTrigger.init),
            executionID: columns.optional("execution_id"),
            decidedAt: try columns.instant("decided_at"))
    }
}

extension StoredOccurrence {
    /// Makes a record of a task's instant on its way into the store.
    init(
        task: TaskKey, plannedAt: Instant, _ disposition: OccurrenceDisposition,
        reason: String = "", trigger: ExecutionTrigger? = nil, execution: String? = nil, at: Instant
    ) {
        self.init(
            taskID: task.id.text, taskUID: task.uid, plannedAt: plannedAt,
            disposition: disposition, reason: reason, trigger: trigger, executionID: execution,
            decidedAt: at)
    }
}
