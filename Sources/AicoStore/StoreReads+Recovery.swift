// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import AicoCore
import GRDB

/// What a start of the scheduler reads: all that can be read, with a list of what cannot.
extension StoreReads {
    /// The attempts written as running: at start-up, those that a crash interrupted.
    ///
    /// Whether their order was ever sent cannot be known; end each with `endAttempt`.
    package func runningAttempts() throws(StoreError) -> Recovered<StoredAttempt> {
        try recovered(
            "read running attempts", from: "task_attempts", where: "state = 'running'",
            select: """
                SELECT \(AttemptColumn.list(of: "task_attempts")),
                    \(AttemptExecutionColumn.list(of: "e"))
                FROM task_attempts
                LEFT JOIN task_executions e ON e.execution_id = task_attempts.execution_id
                """
        ) { row throws(StoreError) in try attempt(row) }
    }

    /// The executions whose next attempt waits, earliest first: to be planned at start-up.
    package func waitingExecutions() throws(StoreError) -> Recovered<StoredExecution> {
        var found = try recovered(
            "read waiting executions", from: "task_executions", where: "state = 'waiting'",
            select: "SELECT \(ExecutionColumn.list) FROM task_executions"
        ) { row throws(StoreError) in try execution(row) }
        found.records.sort { ($0.retryAt ?? $0.startedAt) < ($1.retryAt ?? $1.startedAt) }
        return found
    }

    /// All tasks by id, without the deleted ones.
    package func tasks() throws(StoreError) -> Recovered<StoredTask> {
        var found = try recovered(
            "read tasks", from: "scheduled_tasks", where: "deleted_at IS NULL",
            select: "SELECT \(TaskColumn.list) FROM scheduled_tasks"
        ) { row throws(StoreError) in try task(row) }
        found.records.sort { $0.id < $1.id }
        return found
    }

    /// The ids that once were tasks and were deleted; a builtin among them is not made again.
    package func deletedTaskIDs() throws(StoreError) -> Recovered<String> {
        try recovered(
            "read deleted tasks", from: "scheduled_tasks", where: "deleted_at IS NOT NULL",
            select: "SELECT task_id FROM scheduled_tasks"
        ) { row throws(StoreError) in
            try Columns<TaskColumn>(row: row, operation: "read deleted task", subject: "")
                .text(.taskID)
        }
    }

    /// The deferred instants, earliest first: to be tried again at start-up.
    package func deferredOccurrences() throws(StoreError) -> Recovered<StoredOccurrence> {
        let operation = "read deferred instants"
        let sql = """
            SELECT \(OccurrenceColumn.list) FROM occurrences
            WHERE disposition = 'deferred' ORDER BY planned_at
            """
        if let rows = try ifSound(operation, { db in try Row.fetchAll(db, sql: sql) }) {
            return try records(rows) { row throws(StoreError) in try occurrence(row) }
        }
        // The table has no row ids to walk along; each task's part of it is looked for by itself.
        let (rows, damages) = try salvaging(operation) { db in
            var tasks = Salvage(db, operation, table: "scheduled_tasks")
            var salvage = Salvage(db, operation, table: "occurrences")
            var rows: [Row] = []
            for id in try tasks.rows(where: "deleted_at IS NULL") {
                let uid = try tasks.one("scheduled_tasks row \(id)") {
                    try String.fetchOne(
                        db, sql: "SELECT task_uid FROM scheduled_tasks WHERE rowid = ?",
                        arguments: [id])
                }
                guard let uid = uid ?? nil else { continue }
                rows += try Self.deferred(uid, db, &salvage)
            }
            return (rows, tasks.damages + salvage.damages)
        }
        var found = try records(rows) { row throws(StoreError) in try occurrence(row) }
        found.records.sort { $0.plannedAt < $1.plannedAt }
        found.damages += damages
        return found
    }

    /// From both ends, so that one damaged page in between costs no more than itself.
    private static func deferred(_ uid: String, _ db: Database, _ salvage: inout Salvage) throws
        -> [Row]
    {
        var rows: [String: Row] = [:]
        for order in ["ASC", "DESC"] {
            let all: Void? = try salvage.one("instants of task \(uid)") {
                let cursor = try Row.fetchCursor(
                    db,
                    sql: """
                        SELECT \(OccurrenceColumn.list) FROM occurrences NOT INDEXED
                        WHERE task_uid = ? ORDER BY planned_at \(order)
                        """, arguments: [uid])
                while let row = try cursor.next() {
                    guard String.fromDatabaseValue(row[OccurrenceColumn.disposition]) == "deferred",
                        let plannedAt = String.fromDatabaseValue(row[OccurrenceColumn.plannedAt])
                    else { continue }
                    rows[plannedAt] = row.copy()
                }
            }
            if all != nil { break }
        }
        return Array(rows.values)
    }

    /// Reads by index, or where that meets damage row by row without.
    private func recovered<Record: Sendable>(
        _ operation: String, from table: String, where condition: String, select: String,
        _ record: (Row) throws(StoreError) -> Record
    ) throws(StoreError) -> Recovered<Record> {
        let sql = "\(select) WHERE \(table).\(condition) ORDER BY \(table).rowid"
        if let rows = try ifSound(operation, { db in try Row.fetchAll(db, sql: sql) }) {
            return try records(rows, record)
        }
        let (rows, damages) = try salvaging(operation) { db in
            var salvage = Salvage(db, operation, table: table)
            var rows: [Row] = []
            for id in try salvage.rows(where: condition) {
                let row = try salvage.one("\(table) row \(id)") {
                    try Row.fetchOne(
                        db, sql: "\(select) WHERE \(table).rowid = ?", arguments: [id])
                }
                if let row = row ?? nil { rows.append(row) }
            }
            return (rows, salvage.damages)
        }
        var found = try records(rows, record)
        found.damages += damages
        return found
    }

    /// Outside of a transaction, whose end would fail for what was met in it: at a start nobody
    /// writes.
    private func salvaging<Value>(_ operation: String, _ body: (Database) throws -> Value)
        throws(StoreError) -> Value
    {
        try StoreError.wrap(operation, "") { try queue.unsafeRead(body) }
    }

    /// Nil where it met damage.
    private func ifSound(_ operation: String, _ body: (Database) throws -> [Row])
        throws(StoreError) -> [Row]?
    {
        do throws(StoreError) {
            return try read(operation, "", body)
        } catch let error where error.cause.isDamage {
            return nil
        }
    }

    func records<Record: Sendable>(
        _ rows: [Row], _ record: (Row) throws(StoreError) -> Record
    ) throws(StoreError) -> Recovered<Record> {
        var found = Recovered<Record>()
        for row in rows {
            try found.add { () throws(StoreError) in try record(row) }
        }
        return found
    }

    /// The boot of the machine whose `@reboot` tasks were started last; nil where none was.
    package func lastBoot() throws(StoreError) -> String? {
        try read("read the last boot") { db in
            try String.fetchOne(db, sql: "SELECT id FROM boot")
        }
    }
}
