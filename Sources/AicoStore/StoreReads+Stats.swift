// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import AicoCore
import GRDB

/// Numbers over the executions of a span of time.
package struct StoreStats: Sendable, Equatable {
    /// Tasks that are not deleted.
    package var tasks: Int
    /// Of these, enabled ones.
    package var enabledTasks: Int
    /// Executions that run now.
    package var running: Int
    /// Executions that wait for a retry.
    package var waiting: Int
    /// Ended executions of the span, by outcome's name.
    package var outcomes: [String: Int]
    /// Further attempts in the span.
    package var retries: Int
    /// Instants of the span that did not run, by disposition's name.
    package var notRun: [String: Int]
    /// Dead letters that are open now.
    package var deadLetters: Int
    /// Mean seconds of the span's ended executions; nil where there are none.
    package var meanSeconds: Double?
    /// The shortest.
    package var minimumSeconds: Double?
    /// The longest.
    package var maximumSeconds: Double?
}

extension StoreReads {
    /// Counts executions started at or after `since`, of the task of an identity or of all.
    package func stats(since: Instant, task: String? = nil) throws(StoreError) -> StoreStats {
        let one = task == nil ? "1" : "task_uid = :task"
        var span: StatementArguments = ["since": StoreTime.text(since)]
        var only: StatementArguments = [:]
        if let task {
            span += ["task": task]
            only = ["task": task]
        }
        return try read("count executions", task ?? "") { db in
            func count(_ table: String, _ condition: String) throws -> Int {
                try Int.fetchOne(
                    db.cachedStatement(
                        sql: "SELECT COUNT(*) FROM \(table) WHERE \(condition) AND \(one)"),
                    arguments: only) ?? 0
            }
            func groups(_ column: String, _ rest: String) throws -> [String: Int] {
                var found: [String: Int] = [:]
                let sql =
                    "SELECT \(column) AS name, COUNT(*) AS number FROM \(rest) AND \(one) GROUP BY 1"
                for row in try Row.fetchAll(db.cachedStatement(sql: sql), arguments: span) {
                    let group = Columns<GroupColumn>(
                        row: row, operation: "count", subject: column)
                    found[group.optional(.name) ?? "unknown", default: 0] +=
                        group.optional(.number) ?? 0
                }
                return found
            }
            let row = try Row.fetchOne(
                db.cachedStatement(
                    sql: """
                        SELECT AVG(duration_seconds) AS mean, MIN(duration_seconds) AS low,
                            MAX(duration_seconds) AS high, TOTAL(retry_count) AS retries
                        FROM task_executions WHERE started_at >= :since AND \(one)
                        """), arguments: span)
            let times = row.map {
                Columns<TimesColumn>(row: $0, operation: "sum up executions", subject: "")
            }
            return StoreStats(
                tasks: try count("scheduled_tasks", "deleted_at IS NULL"),
                enabledTasks: try count("scheduled_tasks", "deleted_at IS NULL AND enabled = 1"),
                running: try count("task_executions", "state = 'running'"),
                waiting: try count("task_executions", "state = 'waiting'"),
                outcomes: try groups(
                    "outcome", "task_executions WHERE started_at >= :since AND state = 'ended'"),
                retries: times?.optional(.retries) ?? 0,
                notRun: try groups(
                    "disposition",
                    "occurrences WHERE planned_at >= :since AND disposition <> 'ran'"),
                deadLetters: try count("dead_letters", "resolved_at IS NULL"),
                meanSeconds: times?.optional(.mean), minimumSeconds: times?.optional(.low),
                maximumSeconds: times?.optional(.high))
        }
    }
}

/// What is counted by name.
private enum GroupColumn: String, ColumnExpression {
    case name, number
}

/// What is summed up over executions.
private enum TimesColumn: String, ColumnExpression {
    case mean, low, high, retries
}
