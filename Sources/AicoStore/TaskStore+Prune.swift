// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import AicoCore
import GRDB

/// Removes what is beyond its limits, in transactions that are short.
extension TaskStore {
    /// Instants or executions that one transaction removes at most.
    static let pruneBatch = 200
    /// Audit entries that one transaction removes at most: more than a merged batch can add, so
    /// that they have a bound under a load that never lets the writer rest, too.
    static let auditBatch = 1000
    /// Lines of output that one transaction removes at most.
    private static let lineBatch = 2000

    /// Removes some hundreds of rows beyond `limits`, and audit entries older than `before`.
    ///
    /// Stays: the newest of everything, executions that are not over or whose dead letter is open,
    /// instants that wait.
    ///
    /// - Parameter tasks: only executions and instants of the tasks of these identities, each looked
    ///   at by its index; nil for all, which counts every row there is.
    /// - Returns: how many rows went; 0 where nothing is left to remove.
    @discardableResult
    package func prune(
        before: Instant? = nil, limits: StoreLimits = .standard, tasks: [String]? = nil
    ) throws(StoreError) -> Int {
        var removed = try write("prune the audit log of", path) { db in
            try pruneAudit(before: before, keeping: limits.auditEntries, db)
        }
        for uid in try self.tasks(
            tasks, with: "task_executions", by: "started_at", beyond: limits.executionsPerTask)
        {
            removed += try write("prune executions of", path) { db in
                try Self.pruneExecutions(of: uid, keeping: limits.executionsPerTask, db)
            }
            if removed >= Self.pruneBatch { return removed }
        }
        for uid in try self.tasks(
            tasks, with: "occurrences", by: "planned_at", beyond: limits.occurrencesPerTask)
        {
            removed += try write("prune instants of", path) { db in
                try Self.pruneOccurrences(of: uid, keeping: limits.occurrencesPerTask, db)
            }
            if removed >= Self.pruneBatch { return removed }
        }
        return removed
    }

    private func tasks(
        _ tasks: [String]?, with table: String, by column: String, beyond limit: Int
    ) throws(StoreError) -> [String] {
        try read("count rows of", table) { db in
            if let tasks {
                return try tasks.filter { uid in
                    try Bool.fetchOne(
                        db,
                        sql: """
                            SELECT 1 FROM \(table) WHERE task_uid = ?
                            ORDER BY \(column) DESC LIMIT 1 OFFSET ?
                            """, arguments: [uid, limit]) != nil
                }
            }
            return try String.fetchAll(
                db,
                sql: """
                    SELECT task_uid FROM \(table) GROUP BY task_uid HAVING COUNT(*) > ?
                    """, arguments: [limit])
        }
    }

    private static func pruneExecutions(of uid: String, keeping limit: Int, _ db: Database) throws
        -> Int
    {
        let chosen = try String.fetchAll(
            db,
            sql: """
                SELECT execution_id FROM task_executions e
                WHERE task_uid = :uid AND state = 'ended'
                AND started_at < (SELECT started_at FROM task_executions
                    WHERE task_uid = :uid ORDER BY started_at DESC LIMIT 1 OFFSET :last)
                AND NOT EXISTS (SELECT 1 FROM dead_letters d
                    WHERE d.execution_id = e.execution_id AND d.resolved_at IS NULL)
                ORDER BY started_at LIMIT :batch
                """,
            arguments: ["uid": uid, "last": max(limit, 1) - 1, "batch": pruneBatch])
        let marks = databaseQuestionMarks(count: chosen.count)
        // Output first, piece by piece: what cascades would be one long transaction.
        try db.execute(
            sql: """
                DELETE FROM execution_logs WHERE id IN (SELECT id FROM execution_logs
                WHERE execution_id IN (\(marks)) LIMIT \(lineBatch))
                """, arguments: StatementArguments(chosen))
        let lines = db.changesCount
        guard lines < lineBatch else { return lines }
        try db.execute(
            sql: "DELETE FROM task_executions WHERE execution_id IN (\(marks))",
            arguments: StatementArguments(chosen))
        return lines + db.changesCount
    }

    private static func pruneOccurrences(of uid: String, keeping limit: Int, _ db: Database) throws
        -> Int
    {
        try db.execute(
            sql: """
                DELETE FROM occurrences WHERE task_uid = :uid AND planned_at IN (
                    SELECT planned_at FROM occurrences
                    WHERE task_uid = :uid AND disposition <> 'deferred'
                    AND planned_at < (SELECT planned_at FROM occurrences
                        WHERE task_uid = :uid ORDER BY planned_at DESC LIMIT 1 OFFSET :last)
                    ORDER BY planned_at LIMIT :batch)
                """,
            arguments: ["uid": uid, "last": max(limit, 1) - 1, "batch": pruneBatch])
        return db.changesCount
    }
}
