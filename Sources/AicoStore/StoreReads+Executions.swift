// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import AicoCore
import AicoKeys
import GRDB

/// Executions: views.
extension StoreReads {
    /// Executions, newest first.
    ///
    /// - Parameters:
    ///   - task: only those of tasks of this name, deleted ones too; nil for all.
    ///   - uid: only those of the task of this identity; nil for all.
    ///   - outcome: only those that ended so, by name; nil for all.
    ///   - since: only those started then or later; nil for all.
    ///   - cursor: only those older than the execution of this id, the last of the page before;
    ///     `StoreError.Cause.unknownCursor` where there is none. Nil for the newest.
    ///   - limit: at most this many.
    package func history(
        task: String? = nil, uid: String? = nil, outcome: String? = nil, since: Instant? = nil,
        before cursor: String? = nil, limit: Int
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
        if let cursor {
            let (startedAt, row) = try place(of: cursor)
            // Twice, so that an index on the time alone starts at the right place.
            conditions.append("started_at <= ? AND (started_at < ? OR id < ?)")
            arguments += [startedAt, startedAt, row]
        }
        let filter = conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND ")
        return try executions(
            "\(filter) ORDER BY started_at DESC, id DESC LIMIT ?", arguments + [limit],
            subject: task ?? "")
    }

    private func place(of execution: String) throws(StoreError) -> (String, Int64) {
        let row = try read("read executions after", execution) { db in
            try Row.fetchOne(
                db, sql: "SELECT started_at, id FROM task_executions WHERE execution_id = ?",
                arguments: [execution])
        }
        guard let row else {
            throw StoreError(
                operation: "go on after execution", subject: execution, cause: .unknownCursor)
        }
        let columns = Columns<ExecutionColumn>(
            row: row, operation: "read execution", subject: execution)
        return (try columns.text(.startedAt), try columns.value(.id))
    }

    /// One execution; nil where there is none.
    package func execution(_ id: String) throws(StoreError) -> StoredExecution? {
        try executions("WHERE execution_id = ?", [id], subject: id).first
    }

    /// The ids that begin with `prefix`, in either case: at most two, which is one too many.
    package func executionIDs(matchingPrefix prefix: String) throws(StoreError) -> [String] {
        let prefix = prefix.lowercased()
        guard !prefix.isEmpty else { return [] }
        return try read("find executions", prefix) { db in
            try String.fetchAll(
                db,
                sql: """
                    SELECT execution_id FROM task_executions
                    WHERE execution_id >= ? AND execution_id < ? ORDER BY execution_id LIMIT 2
                    """, arguments: [prefix, prefix + "\u{10FFFF}"])
        }
    }

    /// The attempts of an execution, in order.
    package func attempts(execution: String) throws(StoreError) -> [StoredAttempt] {
        let rows = try read("read attempts", execution) { db in
            try Row.fetchAll(
                db.cachedStatement(
                    sql: """
                        SELECT \(AttemptColumn.list(of: "a")), \(AttemptExecutionColumn.list(of: "e"))
                        FROM task_attempts a
                        JOIN task_executions e ON e.execution_id = a.execution_id
                        WHERE e.execution_id = ? ORDER BY a.number
                        """), arguments: [execution])
        }
        var found: [StoredAttempt] = []
        for row in rows { found.append(try attempt(row)) }
        return found
    }

    /// Planned instants of the task that has a name now, or had it last, and what became of them,
    /// latest first.
    package func occurrences(task: String, limit: Int) throws(StoreError) -> [StoredOccurrence] {
        try read("list occurrences of", task) { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT \(OccurrenceColumn.list) FROM occurrences
                    WHERE task_uid = (SELECT task_uid FROM scheduled_tasks WHERE task_id = ?)
                    ORDER BY planned_at DESC LIMIT ?
                    """, arguments: [task, limit]
            ).compactMap { try? occurrence($0) }
        }
    }

    private func executions(
        _ clause: String, _ arguments: StatementArguments, subject: String = ""
    ) throws(StoreError) -> [StoredExecution] {
        let rows = try read("read executions", subject) { db in
            try Row.fetchAll(
                db.cachedStatement(
                    sql: "SELECT \(ExecutionColumn.list) FROM task_executions \(clause)"),
                arguments: arguments)
        }
        var found: [StoredExecution] = []
        for row in rows { found.append(try execution(row)) }
        return found
    }
}
