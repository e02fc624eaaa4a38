// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import GRDB
import TaskKit

/// Removes ended executions with all that belongs to them, oldest first.
///
/// The latest execution and the latest planned instant of each task stay whatever their age, and
/// so do executions on the dead-letter table that nobody has looked after yet.
struct HistoryRows {
    let store: StoreFile
    let context: TaskContext
    var dryRun: Bool

    /// Executions removed, or to be removed.
    func remove(before cutoff: String) throws -> (executions: Int, rows: Int) {
        if dryRun {
            let count = try store.statements { db in
                try Int.fetchOne(
                    db, sql: "SELECT count(*) FROM task_executions e \(Self.removable)",
                    arguments: ["cutoff": cutoff])
            }
            return (count ?? 0, 0)
        }
        var executions = 0
        var rows = 0
        while true {
            let chosen = try oldest(before: cutoff)
            if chosen.isEmpty { break }
            let list = chosen.map { "\($0)" }.joined(separator: ",")
            // Lines and attempts first, piece by piece: what cascades would be one transaction.
            for table in ["execution_logs", "task_attempts"] {
                rows += try removeAll(
                    """
                    DELETE FROM \(table) WHERE id IN (SELECT id FROM \(table)
                    WHERE execution_id IN (
                        SELECT execution_id FROM task_executions WHERE id IN (\(list)))
                    LIMIT \(LogRows.batch))
                    """)
            }
            let gone = try removeAll(
                "DELETE FROM task_executions WHERE id IN (\(list))", once: true)
            // As where an index has what its table lacks: they would be chosen for ever.
            guard gone > 0 else {
                context.log(
                    .warning, "\(chosen.count) executions cannot be removed; older history stays")
                break
            }
            executions += gone
            rows += gone
            context.progress(nil, "\(executions) executions removed")
        }
        rows += try removeOccurrences(before: cutoff)
        return (executions, rows)
    }

    private static let removable = """
        WHERE e.state = 'ended' AND e.started_at < :cutoff AND e.completed_at < :cutoff
        AND EXISTS (SELECT 1 FROM task_executions n
            WHERE n.task_id = e.task_id AND n.started_at > e.started_at)
        AND NOT EXISTS (SELECT 1 FROM dead_letters d
            WHERE d.execution_id = e.execution_id AND d.resolved_at IS NULL)
        """

    /// Row ids: an execution's own id may be anything where the file is damaged.
    private func oldest(before cutoff: String) throws -> [Int64] {
        try context.checkCancellation()
        return try store.statements { db in
            try Int64.fetchAll(
                db,
                sql: """
                    SELECT e.id FROM task_executions e \(Self.removable)
                    ORDER BY e.started_at LIMIT 50
                    """, arguments: ["cutoff": cutoff])
        }
    }

    private func removeOccurrences(before cutoff: String) throws -> Int {
        let tasks = try store.statements { db in
            try String.fetchAll(db, sql: "SELECT DISTINCT task_uid FROM occurrences")
        }
        var rows = 0
        for task in tasks {
            rows += try removeAll(
                """
                DELETE FROM occurrences WHERE task_uid = :task AND planned_at IN (
                    SELECT planned_at FROM occurrences o
                    WHERE o.task_uid = :task AND o.planned_at < :cutoff
                    AND o.disposition <> 'deferred'
                    AND o.planned_at < (SELECT max(planned_at) FROM occurrences
                        WHERE task_uid = :task)
                    ORDER BY o.planned_at LIMIT \(LogRows.batch))
                """, ["task": task, "cutoff": cutoff])
        }
        return rows
    }

    /// Repeats a bounded statement until it finds nothing more.
    private func removeAll(
        _ sql: String, _ arguments: StatementArguments = StatementArguments(), once: Bool = false
    ) throws -> Int {
        var rows = 0
        while true {
            let part = try TransactionThrottle(context).step {
                try store.patientWrite(context) { db in
                    try db.execute(sql: sql, arguments: arguments)
                    return db.changesCount
                }
            }
            rows += part
            if part == 0 || once { return rows }
        }
    }
}
