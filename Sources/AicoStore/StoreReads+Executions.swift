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
    ///   - cursor: only those older than the execution of this id, or than what `cursor(of:)` made of
    ///     the page before; `StoreError.Cause.unknownCursor` where there is none. Nil for the newest.
    ///   - limit: at most this many.
    package func history(
        task: String? = nil, uid: String? = nil, outcome: String? = nil, since: Instant? = nil,
        before cursor: String? = nil, limit: Int
    ) throws(StoreError) -> StorePage<StoredExecution> {
        var conditions: [String] = []
        var arguments = StatementArguments()
        for (name, condition, value) in [
            ("task", "task_id = :task", task), ("uid", "task_uid = :uid", uid),
            ("outcome", "outcome = :outcome", outcome),
            ("since", "started_at >= :since", StoreTime.text(since)),
        ] {
            guard let value else { continue }
            conditions.append(condition)
            arguments += [name: value]
        }
        if let cursor {
            let (startedAt, row) = try place(of: cursor)
            // Twice, so that an index on the time alone starts at the right place.
            conditions.append("started_at <= :at AND (started_at < :at OR id < :row)")
            arguments += ["at": startedAt, "row": row]
        }
        let filter = conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND ")
        return try page(
            "read executions", task ?? "", id: ExecutionColumn.id, limit: limit,
            """
            SELECT \(ExecutionColumn.list) FROM task_executions \(filter)
            ORDER BY started_at DESC, id DESC LIMIT :most
            """, arguments
        ) { row throws(StoreError) in try execution(row) }
    }

    /// Before the number of a row whose id does not say where it is.
    private static var rowPrefix: String { "row:" }

    /// What `history` goes on before to read what follows a page; nil at the end.
    ///
    /// An execution's id, or the number of a row whose own cannot be read.
    package func cursor(of page: StorePage<StoredExecution>) throws(StoreError) -> String? {
        guard let row = page.next else { return nil }
        let found = try read("read executions after row", String(row)) { db in
            try String.fetchOne(
                db,
                sql: """
                    SELECT execution_id FROM task_executions
                    WHERE id = ? AND typeof(execution_id) = 'text'
                    """, arguments: [row])
        }
        let id = found?.lowercased() ?? ""
        return try identified(id) == row ? id : Self.rowPrefix + String(row)
    }

    /// The row of an execution, readable or not.
    private func identified(_ execution: String) throws(StoreError) -> Int64? {
        try read("read executions after", execution) { db in
            try Int64.fetchOne(
                db, sql: "SELECT id FROM task_executions WHERE execution_id = ?",
                arguments: [execution])
        }
    }

    /// Where executions that began earlier than one begin: its time, whatever it holds, and its row.
    private func place(of cursor: String) throws(StoreError) -> (DatabaseValue, Int64) {
        var number: Int64?
        if cursor.hasPrefix(Self.rowPrefix) {
            number = Int64(cursor.dropFirst(Self.rowPrefix.count))
        } else {
            number = try identified(cursor)
        }
        let row = try read("read executions after", cursor) { db in
            try Row.fetchOne(
                db, sql: "SELECT started_at, id FROM task_executions WHERE id = ?",
                arguments: [number])
        }
        guard let row, let number else {
            throw StoreError(
                operation: "go on after execution", subject: cursor, cause: .unknownCursor)
        }
        return (row[ExecutionColumn.startedAt], number)
    }

    /// One execution; nil where there is none, an error where it cannot be read.
    package func execution(_ id: String) throws(StoreError) -> StoredExecution? {
        let row = try read("read executions", id) { db in
            try Row.fetchOne(
                db.cachedStatement(
                    sql: """
                        SELECT \(ExecutionColumn.list) FROM task_executions
                        WHERE execution_id = ?
                        """), arguments: [id])
        }
        guard let row else { return nil }
        return try execution(row)
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
    package func attempts(execution: String) throws(StoreError) -> StorePage<StoredAttempt> {
        try page(
            "read attempts", execution, id: AttemptColumn.id, limit: .max,
            """
            SELECT \(AttemptColumn.list(of: "a")), \(AttemptExecutionColumn.list(of: "e"))
            FROM task_attempts a
            JOIN task_executions e ON e.execution_id = a.execution_id
            WHERE e.execution_id = :execution ORDER BY a.number LIMIT :most
            """, ["execution": execution]
        ) { row throws(StoreError) in try attempt(row) }
    }

    /// Planned instants of the task that has a name now, or had it last, and what became of them,
    /// latest first.
    package func occurrences(task: String, limit: Int) throws(StoreError)
        -> Recovered<StoredOccurrence>
    {
        let rows = try read("list occurrences of", task) { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT \(OccurrenceColumn.list) FROM occurrences
                    WHERE task_uid = (SELECT task_uid FROM scheduled_tasks WHERE task_id = ?)
                    ORDER BY planned_at DESC LIMIT ?
                    """, arguments: [task, limit])
        }
        return try records(rows) { row throws(StoreError) in try occurrence(row) }
    }
}
