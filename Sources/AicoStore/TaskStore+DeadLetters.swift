// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

public import AicoCore
import GRDB

/// Dead letters.
extension TaskStore {
    /// Dead letters, newest first.
    ///
    /// - Parameters:
    ///   - includeResolved: also those that were sent back.
    ///   - limit: at most this many.
    public func deadLetters(includeResolved: Bool = false, limit: Int) throws(StoreError)
        -> [StoredDeadLetter]
    {
        let filter = includeResolved ? "" : "WHERE resolved_at IS NULL"
        return try read("list dead letters") { db in
            try Row.fetchAll(
                db, sql: "SELECT * FROM dead_letters \(filter) ORDER BY id DESC LIMIT ?",
                arguments: [limit]
            ).map { row in
                let id: Int64 = row["id"]
                guard let at = StoreTime.instant(row["at"]) else {
                    throw StoreError(
                        operation: "read dead letter", subject: String(id),
                        cause: .malformedRow("at"))
                }
                let resolvedAt: String? = row["resolved_at"]
                return StoredDeadLetter(
                    id: id, executionID: row["execution_id"], taskID: row["task_id"],
                    taskUID: row["task_uid"], at: at,
                    reason: row["reason"], attempts: row["attempts"],
                    resolvedAt: resolvedAt.flatMap(StoreTime.instant),
                    retriedAs: row["retried_as"])
            }
        }
    }

    func bury(_ execution: String, at: Instant, reason: String, _ db: Database) throws
        -> StoreOutcome
    {
        try db.execute(
            sql: """
                INSERT INTO dead_letters (execution_id, task_id, task_uid, at, reason, attempts)
                SELECT execution_id, task_id, task_uid, ?, ?, 1 + retry_count FROM task_executions
                WHERE execution_id = ? AND state = 'ended'
                ON CONFLICT (execution_id) DO NOTHING
                """, arguments: [StoreTime.text(at), reason, execution])
        guard db.changesCount == 0 else { return .done }
        let buried = try Int.fetchOne(
            db, sql: "SELECT 1 FROM dead_letters WHERE execution_id = ?", arguments: [execution])
        return buried == nil ? .notFound : .alreadyExists
    }

    func resolve(_ id: Int64, at: Instant, retriedAs: String, _ db: Database) throws
        -> StoreOutcome
    {
        try db.execute(
            sql: """
                UPDATE dead_letters SET resolved_at = ?, retried_as = ?
                WHERE id = ? AND resolved_at IS NULL
                """, arguments: [StoreTime.text(at), retriedAs, id])
        return db.changesCount == 1 ? .done : .notFound
    }

    func purge(id: Int64, _ db: Database) throws -> StoreOutcome {
        try db.execute(sql: "DELETE FROM dead_letters WHERE id = ?", arguments: [id])
        return db.changesCount == 1 ? .done : .notFound
    }

    func purgeAll(_ db: Database) throws -> StoreOutcome {
        try db.execute(sql: "DELETE FROM dead_letters")
        return .done
    }
}
