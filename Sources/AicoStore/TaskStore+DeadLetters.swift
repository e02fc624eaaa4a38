// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import AicoCore
import GRDB

/// Dead letters.
extension StoreReads {
    /// Dead letters, newest first.
    ///
    /// - Parameters:
    ///   - includeResolved: also those that were sent back.
    ///   - before: only those that are older than the one of this number; nil for the newest.
    ///   - limit: at most this many.
    package func deadLetters(
        includeResolved: Bool = false, before: Int64?, limit: Int
    ) throws(StoreError) -> StorePage<StoredDeadLetter> {
        try page(
            "read dead letters", id: DeadLetterColumn.id, limit: limit,
            """
            SELECT \(DeadLetterColumn.list) FROM dead_letters
            WHERE id \(before == nil ? "<=" : "<") :before
            \(includeResolved ? "" : "AND resolved_at IS NULL") ORDER BY id DESC LIMIT :most
            """, ["before": before ?? .max]
        ) { row throws(StoreError) in try letter(row) }
    }

    /// The newest dead letters, of which each must be readable.
    package func deadLetters(
        includeResolved: Bool = false, limit: Int
    ) throws(StoreError) -> [StoredDeadLetter] {
        let found = try deadLetters(
            includeResolved: includeResolved, before: nil, limit: limit)
        if let row = found.unreadable.first { throw row.error }
        return found.records
    }

    /// How many dead letters nobody has sent back or purged.
    package func openDeadLetters() throws(StoreError) -> Int {
        try read("count dead letters") { db in
            try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM dead_letters WHERE resolved_at IS NULL")
                ?? 0
        }
    }

    /// One dead letter, sent back or not; nil where there is none, an error where it cannot be read.
    package func deadLetter(id: Int64) throws(StoreError) -> StoredDeadLetter? {
        let row = try read("read dead letters", String(id)) { db in
            try Row.fetchOne(
                db, sql: "SELECT \(DeadLetterColumn.list) FROM dead_letters WHERE id = ?",
                arguments: [id])
        }
        guard let row else { return nil }
        return try letter(row)
    }

    private func letter(_ row: Row) throws(StoreError) -> StoredDeadLetter {
        let id = Int64.fromDatabaseValue(row[DeadLetterColumn.id]) ?? 0
        let columns = Columns<DeadLetterColumn>(
            row: row, operation: "read dead letter", subject: String(id))
        return StoredDeadLetter(
            id: id, executionID: try columns.text(.executionID),
            taskID: try columns.text(.taskID), taskUID: try columns.text(.taskUID),
            at: try columns.instant(.at), reason: try columns.text(.reason),
            attempts: try columns.value(.attempts),
            resolvedAt: columns.optionalInstant(.resolvedAt),
            retriedAs: columns.optional(.retriedAs))
    }
}

extension TaskStore {
    func deadLetter(_ execution: String, at: Instant, reason: String, _ db: Database) throws
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
        let deadLetters = try Int.fetchOne(
            db, sql: "SELECT 1 FROM dead_letters WHERE execution_id = ?", arguments: [execution])
        return deadLetters == nil ? .notFound : .alreadyExists
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

    /// Purges the oldest open dead letters beyond a number, some hundreds of them, and says so in
    /// the audit log; `at` is when. What failed longest ago is what nobody came for.
    ///
    /// - Returns: how many went; 0 where nothing is left to purge.
    func purgeOldest(keeping limit: Int, at: Instant) throws(StoreError) -> Int {
        try write("purge dead letters of", path) { db in
            let open = "SELECT id FROM dead_letters WHERE resolved_at IS NULL"
            guard
                let last = try Int64.fetchOne(
                    db, sql: "\(open) ORDER BY id DESC LIMIT 1 OFFSET ?", arguments: [limit])
            else { return 0 }
            try db.execute(
                sql: """
                    DELETE FROM dead_letters WHERE id IN (\(open) AND id <= ?
                    ORDER BY id LIMIT \(Self.pruneBatch))
                    """, arguments: [last])
            let count = db.changesCount
            _ = try append(
                AuditEntry(
                    at: at, actor: "store", action: "dlq.purge", subject: String(count),
                    detail: "the oldest, beyond \(limit) that are kept"), db)
            return count
        }
    }

    func purgeAll(_ db: Database) throws -> StoreOutcome {
        try db.execute(sql: "DELETE FROM dead_letters")
        return .done
    }
}
