// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

public import AicoCore
import GRDB

/// What a start of the scheduler reads: all that can be read, with a list of what cannot.
extension StoreReads {
    /// The attempts written as running: at start-up, those that a crash interrupted.
    ///
    /// Whether their order was ever sent cannot be known; end each with `endAttempt`.
    public func runningAttempts() throws(StoreError) -> Recovered<StoredAttempt> {
        let rows = try read("read running attempts") { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT a.*, e.task_id, e.task_uid, e.planned_at FROM task_attempts a
                    JOIN task_executions e ON e.execution_id = a.execution_id
                    WHERE a.state = 'running' ORDER BY a.id
                    """)
        }
        var found = Recovered<StoredAttempt>()
        for row in rows {
            try found.add { () throws(StoreError) in try attempt(row) }
        }
        return found
    }

    /// The executions whose next attempt waits, earliest first: to be planned at start-up.
    public func waitingExecutions() throws(StoreError) -> Recovered<StoredExecution> {
        let rows = try read("read waiting executions") { db in
            try Row.fetchAll(
                db, sql: "SELECT * FROM task_executions WHERE state = 'waiting' ORDER BY retry_at")
        }
        var found = Recovered<StoredExecution>()
        for row in rows {
            try found.add { () throws(StoreError) in try execution(row) }
        }
        return found
    }

    /// The deferred instants, earliest first: to be tried again at start-up.
    public func deferredOccurrences() throws(StoreError) -> Recovered<StoredOccurrence> {
        let rows = try read("read deferred instants") { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT * FROM occurrences WHERE disposition = 'deferred' ORDER BY planned_at
                    """)
        }
        var found = Recovered<StoredOccurrence>()
        for row in rows {
            try found.add { () throws(StoreError) in try occurrence(row) }
        }
        return found
    }

    /// All tasks by id, without the deleted ones.
    public func tasks() throws(StoreError) -> Recovered<StoredTask> {
        let rows = try read("list tasks") { db in
            try Row.fetchAll(
                db, sql: "SELECT * FROM scheduled_tasks WHERE deleted_at IS NULL ORDER BY task_id")
        }
        var found = Recovered<StoredTask>()
        for row in rows {
            try found.add { () throws(StoreError) in try task(row) }
        }
        return found
    }

    /// The boot of the machine whose `@reboot` tasks were started last; nil where none was.
    public func lastBoot() throws(StoreError) -> String? {
        try read("read the last boot") { db in
            try String.fetchOne(db, sql: "SELECT id FROM boot")
        }
    }
}
