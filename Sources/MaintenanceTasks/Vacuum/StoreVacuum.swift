// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import GRDB
import TaskKit

/// Gives free pages of the database back, a few in each transaction.
///
/// `VACUUM` would write the database anew while no other process may write: the scheduler could
/// not dispatch until its end. Steps of `incremental_vacuum` lead to the same size.
struct StoreVacuum {
    let store: StoreFile
    let context: TaskContext
    /// Pages of one transaction: a page takes some microseconds.
    var pagesPerStep: Int
    /// Free pages that stay for the rows to come.
    var keep: Int
    /// When to stop between two steps.
    var until: ContinuousClock.Instant

    /// Frees pages; false where it stopped before the end.
    func shrink(from pages: StorePages) throws -> Bool {
        let goal = pages.free - keep
        var free = pages.free
        while free > keep {
            guard ContinuousClock.now < until else { return false }
            let count = min(pagesPerStep, free - keep)
            let left = try TransactionThrottle(context).step {
                try store.patientWrite(context) { db in
                    try db.execute(sql: "PRAGMA incremental_vacuum(\(count))")
                    return try Int.fetchOne(db, sql: "PRAGMA freelist_count") ?? 0
                }
            }
            // The scheduler frees and takes pages meanwhile; without progress this would not end.
            if left >= free { return left <= keep }
            free = left
            context.progress(
                min(1, Double(pages.free - free) / Double(goal)), "\(free) free pages left")
        }
        return true
    }

    /// Renews what the query planner knows, one table in each transaction; gives their number.
    func analyze() throws -> Int {
        let tables = try store.statements { db in
            // So many index entries are looked at, not all of them.
            try db.execute(sql: "PRAGMA analysis_limit = 1000")
            return try String.fetchAll(
                db,
                sql: """
                    SELECT name FROM sqlite_schema WHERE type = 'table'
                    AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name
                    """)
        }
        for table in tables {
            try TransactionThrottle(context).step {
                try store.patientWrite(context) { db in
                    try db.execute(sql: "ANALYZE \(table.quotedDatabaseIdentifier)")
                }
            }
        }
        try store.statements { db in try db.execute(sql: "PRAGMA optimize") }
        return tables.count
    }

    /// Copies the write-ahead log into the database, and empties it where nobody uses it just
    /// now; true where it is empty.
    func checkpoint() throws -> Bool {
        try store.statements { db in
            // Passive first: it never blocks. What is left for the other one is short.
            _ = try Row.fetchOne(db, sql: "PRAGMA wal_checkpoint(PASSIVE)")
            try db.execute(sql: "PRAGMA busy_timeout = 50")
            let row = try Row.fetchOne(db, sql: "PRAGMA wal_checkpoint(TRUNCATE)")
            return row?[0] == 0
        }
    }
}
