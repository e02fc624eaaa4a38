// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoKeys
import GRDB

/// Rows as records.
extension StoreReads {
    func execution(_ row: Row) throws(StoreError) -> StoredExecution {
        let id =
            String.fromDatabaseValue(row[ExecutionColumn.executionID])
            ?? "row \(Int64.fromDatabaseValue(row[ExecutionColumn.id]) ?? 0)"
        let columns = Columns<ExecutionColumn>(row: row, operation: "read execution", subject: id)
        let startedAt = try columns.instant(.startedAt)
        let seconds: Double? = columns.optional(.durationSeconds)
        let retries: UInt32 = columns.optional(.retryCount) ?? 0
        let result = opened(columns, .result)
        let message = opened(columns, .errorMessage)
        return StoredExecution(
            id: try columns.text(.executionID), taskID: try columns.text(.taskID),
            taskUID: try columns.text(.taskUID), trigger: try columns.named(.triggerKind),
            plannedAt: columns.optionalInstant(.plannedAt) ?? startedAt, startedAt: startedAt,
            completedAt: columns.optionalInstant(.completedAt),
            state: try columns.named(.state), outcome: columns.optional(.outcome),
            reason: columns.optional(.reason), success: columns.optional(.success),
            duration: seconds.flatMap(Self.duration),
            attempts: 1 + Int(retries),
            retryAt: columns.optionalInstant(.retryAt), result: result.bytes,
            errorMessage: message.bytes.map { String(decoding: $0, as: UTF8.self) },
            isUnreadable: result.isUnreadable || message.isUnreadable)
    }

    private func opened(_ columns: Columns<ExecutionColumn>, _ column: ExecutionColumn)
        -> (bytes: [UInt8]?, isUnreadable: Bool)
    {
        guard let sealed: String = columns.optional(column) else { return (nil, false) }
        let bytes = try? sealer.openText(
            sealed, table: "task_executions", column: column.name, row: columns.subject)
        return (bytes, bytes == nil)
    }

    private static func duration(_ seconds: Double) -> Duration? {
        Int64(exactly: (seconds * 1_000_000).rounded(.towardZero)).map { .microseconds($0) }
    }

    /// Reads an attempt joined with `task_id`, `task_uid` and `planned_at` of its execution.
    func attempt(_ row: Row) throws(StoreError) -> StoredAttempt {
        let key = Int64.fromDatabaseValue(row[AttemptColumn.id]) ?? 0
        let columns = Columns<AttemptColumn>(
            row: row, operation: "read attempt", subject: String(key))
        let execution = Columns<AttemptExecutionColumn>(
            row: row, operation: columns.operation, subject: columns.subject)
        let startedAt = try columns.instant(.startedAt)
        let ending: String? = columns.optional(.ending)
        let layers: String? = columns.optional(.layers)
        let sealed: String? = columns.optional(.errorMessage)
        let message = sealed.flatMap {
            try? sealer.openText(
                $0, table: "task_attempts", column: "error_message", row: "\(key)")
        }
        return StoredAttempt(
            key: UInt64(bitPattern: key), executionID: try columns.text(.executionID),
            taskID: try execution.text(.taskID), taskUID: try execution.text(.taskUID),
            number: try columns.value(.number),
            plannedAt: execution.optionalInstant(.plannedAt) ?? startedAt, startedAt: startedAt,
            endedAt: columns.optionalInstant(.endedAt), outcome: columns.optional(.outcome),
            ending: ending.map { Array($0.utf8) },
            errorMessage: message.map { String(decoding: $0, as: UTF8.self) },
            layers: layers.map { Array($0.utf8) })
    }

    func occurrence(_ row: Row) throws(StoreError) -> StoredOccurrence {
        let task = String.fromDatabaseValue(row[OccurrenceColumn.taskID]) ?? "?"
        let columns = Columns<OccurrenceColumn>(
            row: row, operation: "read an instant of", subject: task)
        let trigger: String? = columns.optional(.triggerKind)
        return StoredOccurrence(
            taskID: try columns.text(.taskID), taskUID: try columns.text(.taskUID),
            plannedAt: try columns.instant(.plannedAt),
            disposition: try columns.named(.disposition), reason: try columns.text(.reason),
            trigger: trigger.flatMap(ExecutionTrigger.init),
            executionID: columns.optional(.executionID),
            decidedAt: try columns.instant(.decidedAt))
    }
}

extension StoredOccurrence {
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
