// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

public import AicoCore
import AicoKeys
import GRDB

/// Executions, attempts and occurrences.
extension TaskStore {
    /// Executions, newest first.
    ///
    /// - Parameters:
    ///   - task: only those of tasks of this name, deleted ones too; nil for all.
    ///   - uid: only those of the task of this identity; nil for all.
    ///   - outcome: only those that ended so, by name; nil for all.
    ///   - since: only those started then or later; nil for all.
    ///   - limit: at most this many.
    public func history(
        task: String?, uid: String? = nil, outcome: String? = nil, since: Instant? = nil, limit: Int
    ) throws(StoreError) -> [StoredExecution] {
        var conditions: [String] = []
        var arguments = StatementArguments()
        for (condition, value) in [
            ("task_id = ?", task), ("task_uid = ?", uid), ("outcome = ?", outcome),
            ("started_at >= ?", StoreTime.text(since)),
        ] {
            guard let value else { continue }
            conditions.append(condition)
            arguments += [value]
        }
        let filter = conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND ")
        return try executions(
            "\(filter) ORDER BY started_at DESC, id DESC LIMIT ?", arguments + [limit],
            subject: task ?? "")
    }

    /// One execution; nil where there is none.
    public func execution(_ id: String) throws(StoreError) -> StoredExecution? {
        try executions("WHERE execution_id = ?", [id], subject: id).first
    }

    /// The executions whose next attempt waits, earliest first: to be planned at start-up.
    public func waitingExecutions() throws(StoreError) -> [StoredExecution] {
        try executions("WHERE state = 'waiting' ORDER BY retry_at", [])
    }

    /// The attempts of an execution, in order.
    public func attempts(execution: String) throws(StoreError) -> [StoredAttempt] {
        try attempts("WHERE e.execution_id = ? ORDER BY a.number", [execution], subject: execution)
    }

    /// The attempts written as running: at start-up, those that a crash interrupted.
    ///
    /// Whether their order was ever sent cannot be known; end each with `endAttempt`.
    public func runningAttempts() throws(StoreError) -> [StoredAttempt] {
        try attempts("WHERE a.state = 'running' ORDER BY a.id", [])
    }

    /// Planned instants and what became of them, latest first.
    public func occurrences(task: String, limit: Int) throws(StoreError) -> [StoredOccurrence] {
        try read("list occurrences of", task) { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT * FROM occurrences WHERE task_id = ?
                    ORDER BY planned_at DESC LIMIT ?
                    """, arguments: [task, limit]
            ).compactMap(StoredOccurrence.init)
        }
    }

    /// The deferred instants, earliest first: to be tried again at start-up.
    public func deferredOccurrences() throws(StoreError) -> [StoredOccurrence] {
        try read("list deferred occurrences") { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT * FROM occurrences WHERE disposition = 'deferred' ORDER BY planned_at
                    """
            ).compactMap(StoredOccurrence.init)
        }
    }

    private func executions(
        _ clause: String, _ arguments: StatementArguments, subject: String = ""
    ) throws(StoreError) -> [StoredExecution] {
        let rows = try read("read executions", subject) { db in
            try Row.fetchAll(
                db, sql: "SELECT * FROM task_executions \(clause)", arguments: arguments)
        }
        var found: [StoredExecution] = []
        for row in rows { found.append(try execution(row)) }
        return found
    }

    private func execution(_ row: Row) throws(StoreError) -> StoredExecution {
        let id: String = row["execution_id"]
        func malformed(_ column: String) -> StoreError {
            StoreError(operation: "read execution", subject: id, cause: .malformedRow(column))
        }
        guard let startedAt = StoreTime.instant(row["started_at"]) else {
            throw malformed("started_at")
        }
        guard let state = ExecutionState(rawValue: row["state"]) else { throw malformed("state") }
        guard let trigger = ExecutionTrigger(rawValue: row["trigger_kind"]) else {
            throw malformed("trigger_kind")
        }
        let plannedAt: String = row["planned_at"]
        let completedAt: String? = row["completed_at"]
        let retryAt: String? = row["retry_at"]
        let seconds: Double? = row["duration_seconds"]
        let result = opened(row["result"], "result", id)
        let message = opened(row["error_message"], "error_message", id)
        return StoredExecution(
            id: id, taskID: row["task_id"], taskUID: row["task_uid"], trigger: trigger,
            plannedAt: StoreTime.instant(plannedAt) ?? startedAt, startedAt: startedAt,
            completedAt: completedAt.flatMap(StoreTime.instant), state: state,
            outcome: row["outcome"], reason: row["reason"], success: row["success"],
            duration: seconds.map { .microseconds(Int64($0 * 1_000_000)) },
            attempts: 1 + (row["retry_count"] as Int? ?? 0),
            retryAt: retryAt.flatMap(StoreTime.instant), result: result.bytes,
            errorMessage: message.bytes.map { String(decoding: $0, as: UTF8.self) },
            isUnreadable: result.isUnreadable || message.isUnreadable)
    }

    private func opened(_ sealed: String?, _ column: String, _ id: String)
        -> (bytes: [UInt8]?, isUnreadable: Bool)
    {
        guard let sealed else { return (nil, false) }
        let bytes = try? sealer.openText(
            sealed, table: "task_executions", column: column, row: id)
        return (bytes, bytes == nil)
    }

    private func attempts(
        _ clause: String, _ arguments: StatementArguments, subject: String = ""
    ) throws(StoreError) -> [StoredAttempt] {
        try read("read attempts", subject) { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT a.*, e.task_id, e.task_uid, e.planned_at FROM task_attempts a
                    JOIN task_executions e ON e.execution_id = a.execution_id \(clause)
                    """, arguments: arguments
            ).map { row in
                let key: Int64 = row["id"]
                guard let startedAt = StoreTime.instant(row["started_at"]) else {
                    throw StoreError(
                        operation: "read attempt", subject: String(key),
                        cause: .malformedRow("started_at"))
                }
                let endedAt: String? = row["ended_at"]
                let ending: String? = row["ending"]
                let layers: String? = row["layers"]
                let sealed: String? = row["error_message"]
                let message = sealed.flatMap {
                    try? sealer.openText(
                        $0, table: "task_attempts", column: "error_message", row: "\(key)")
                }.map { String(decoding: $0, as: UTF8.self) }
                return StoredAttempt(
                    key: UInt64(bitPattern: key), executionID: row["execution_id"],
                    taskID: row["task_id"], taskUID: row["task_uid"], number: row["number"],
                    plannedAt: StoreTime.instant(row["planned_at"]) ?? startedAt,
                    startedAt: startedAt, endedAt: endedAt.flatMap(StoreTime.instant),
                    outcome: row["outcome"], ending: ending.map { Array($0.utf8) },
                    errorMessage: message, layers: layers.map { Array($0.utf8) })
            }
        }
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

    /// Reads a row; nil where it holds what this program never writes.
    fileprivate init?(_ row: Row) {
        guard let disposition = OccurrenceDisposition(rawValue: row["disposition"]),
            let plannedAt = StoreTime.instant(row["planned_at"]),
            let decidedAt = StoreTime.instant(row["decided_at"])
        else { return nil }
        let trigger: String? = row["trigger_kind"]
        self.init(
            taskID: row["task_id"], taskUID: row["task_uid"], plannedAt: plannedAt,
            disposition: disposition, reason: row["reason"],
            trigger: trigger.flatMap(ExecutionTrigger.init), executionID: row["execution_id"],
            decidedAt: decidedAt)
    }
}
