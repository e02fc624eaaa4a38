// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import AicoCore
import AicoKeys
import GRDB

/// Tasks.
///
/// A deleted task keeps its row with `deleted_at` set, config and policies emptied: executions
/// refer to it by foreign key, and history must outlive the task. Its name is free: `createTask`
/// takes the row over, under a new identity, and nothing of the old one belongs to it.
extension StoreReads {
    /// One task; nil where there is none or it is deleted.
    package func task(_ id: TaskID) throws(StoreError) -> StoredTask? {
        let row = try read("read task", id.text) { db in
            try Row.fetchOne(
                db,
                sql: """
                    SELECT \(TaskColumn.list) FROM scheduled_tasks
                    WHERE task_id = ? AND deleted_at IS NULL
                    """,
                arguments: [id.text])
        }
        guard let row else { return nil }
        return try task(row)
    }

    /// The enabled tasks that are due next, earliest first.
    package func nextRuns(limit: Int) throws(StoreError) -> [(task: String, at: Instant)] {
        try read("list next runs") { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT task_id, next_run FROM scheduled_tasks
                    WHERE next_run IS NOT NULL AND enabled = 1 AND deleted_at IS NULL
                    ORDER BY next_run LIMIT ?
                    """, arguments: [limit]
            ).compactMap { row in
                let columns = Columns<TaskColumn>(row: row, operation: "read next run", subject: "")
                guard let task: String = columns.optional(.taskID),
                    let at = columns.optionalInstant(.nextRun)
                else { return nil }
                return (task, at)
            }
        }
    }

    func task(_ row: Row) throws(StoreError) -> StoredTask {
        let text = String.fromDatabaseValue(row[TaskColumn.taskID]) ?? "?"
        let columns = Columns<TaskColumn>(row: row, operation: "read task", subject: text)
        guard let id = try? TaskID(text) else { throw columns.malformed(.taskID) }
        let sealed = try columns.text(.config)
        let config = try StoreError.wrap("read task", text) {
            try sealer.openText(sealed, table: "scheduled_tasks", column: "config", row: text)
        }
        return StoredTask(
            key: TaskKey(id: id, uid: try columns.text(.taskUID)),
            type: try columns.text(.taskClass), schedule: try columns.text(.schedule),
            timezone: try columns.text(.timezone), config: config,
            policies: Array(try columns.text(.policies).utf8),
            enabled: try columns.value(.enabled), origin: try columns.text(.origin),
            createdAt: try columns.instant(.createdAt),
            updatedAt: try columns.instant(.updatedAt),
            lastRun: columns.optionalInstant(.lastRun),
            nextRun: columns.optionalInstant(.nextRun))
    }
}

extension TaskStore {
    func create(_ task: StoredTask, _ db: Database) throws -> StoreOutcome {
        try check(task)
        let old = try Row.fetchOne(
            db, sql: "SELECT deleted_at FROM scheduled_tasks WHERE task_id = ?",
            arguments: [task.id.text])
        if let old, old[TaskColumn.deletedAt] == nil { return .alreadyExists }
        try db.execute(
            sql: """
                INSERT INTO scheduled_tasks
                    (task_id, task_uid, task_class, schedule, config, enabled, created_at, updated_at,
                     last_run, next_run, timezone, policies, origin)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (task_id) DO UPDATE SET task_uid = excluded.task_uid,
                    task_class = excluded.task_class, schedule = excluded.schedule,
                    config = excluded.config, enabled = excluded.enabled,
                    created_at = excluded.created_at, updated_at = excluded.updated_at,
                    last_run = excluded.last_run, next_run = excluded.next_run,
                    timezone = excluded.timezone, policies = excluded.policies,
                    origin = excluded.origin, deleted_at = NULL
                """,
            arguments: [
                task.id.text, task.key.uid, task.type, task.schedule, try sealedConfig(task),
                task.enabled,
                StoreTime.text(task.createdAt), StoreTime.text(task.updatedAt),
                StoreTime.text(task.lastRun), StoreTime.text(task.nextRun), task.timezone,
                String(decoding: task.policies, as: UTF8.self), task.origin,
            ])
        return .done
    }

    func update(_ task: StoredTask, _ db: Database) throws -> StoreOutcome {
        try check(task)
        try db.execute(
            sql: """
                UPDATE scheduled_tasks
                SET task_class = ?, schedule = ?, config = ?, enabled = ?, updated_at = ?,
                    next_run = ?, timezone = ?, policies = ?, origin = ?
                WHERE task_uid = ? AND deleted_at IS NULL
                """,
            arguments: [
                task.type, task.schedule, try sealedConfig(task), task.enabled,
                StoreTime.text(task.updatedAt), StoreTime.text(task.nextRun), task.timezone,
                String(decoding: task.policies, as: UTF8.self), task.origin, task.key.uid,
            ])
        return db.changesCount == 1 ? .done : .notFound
    }

    func delete(_ key: TaskKey, at: Instant, _ db: Database) throws -> StoreOutcome {
        try db.execute(
            sql: """
                UPDATE scheduled_tasks
                SET deleted_at = ?, updated_at = ?, enabled = 0, next_run = NULL, config = NULL,
                    policies = '{}'
                WHERE task_uid = ? AND deleted_at IS NULL
                """, arguments: [StoreTime.text(at), StoreTime.text(at), key.uid])
        return db.changesCount == 1 ? .done : .notFound
    }

    func setNextRun(_ key: TaskKey, _ next: Instant?, _ db: Database) throws -> StoreOutcome {
        try db.cachedStatement(
            sql: "UPDATE scheduled_tasks SET next_run = ? WHERE task_uid = ? AND deleted_at IS NULL"
        ).execute(arguments: [StoreTime.text(next), key.uid])
        return db.changesCount == 1 ? .done : .notFound
    }

    private func check(_ task: StoredTask) throws(StoreError) {
        for (bytes, maximum) in [
            (task.config.count, StoredTask.maximumConfigBytes),
            (task.policies.count, StoredTask.maximumPoliciesBytes),
        ] where bytes > maximum {
            throw StoreError(
                operation: "store task", subject: task.id.text,
                cause: .tooLarge(bytes: bytes, maximum: maximum))
        }
    }

    private func sealedConfig(_ task: StoredTask) throws(KeyError) -> String {
        try sealer.sealText(
            task.config, table: "scheduled_tasks", column: "config", row: task.id.text)
    }
}
