// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoKeys
import GRDB

/// One connection to the database with the keys of what is sealed in it.
package struct StoreConnection: Sendable {
    let path: String
    let queue: DatabaseQueue
    let keys: KeyRing
    let sealer: Sealer

    init(path: String, queue: DatabaseQueue, keys: KeyRing) {
        self.path = path
        self.queue = queue
        self.keys = keys
        sealer = keys.sealer
    }

    /// What every connection of ours has in common.
    static func configuration(label: String, busyTimeout: Double) -> GRDB.Configuration {
        var configuration = GRDB.Configuration()
        configuration.busyMode = .timeout(busyTimeout)
        configuration.label = label
        configuration.maximumReaderCount = 1
        // GRDB would end the process where a transaction outlives its block; after an I/O error
        // that is for the writer to see and to mend.
        configuration.allowsUnsafeTransactions = true
        configuration.prepareDatabase { db in
            try db.execute(sql: "PRAGMA temp_store = MEMORY")
        }
        return configuration
    }
}

/// What can be read of the store, over whichever connection.
///
/// `TaskStore` and `ReadOnlyStore` read alike; what they read is what was committed when the call
/// began.
package protocol StoreReads: Sendable {
    /// The connection that is read from.
    var connection: StoreConnection { get }
}

extension StoreReads {
    /// The database file's path.
    package var path: String { connection.path }
    var queue: DatabaseQueue { connection.queue }
    var keys: KeyRing { connection.keys }
    var sealer: Sealer { connection.sealer }

    /// Runs reads; errors become `StoreError`.
    func read<Value>(
        _ operation: String, _ subject: String = "", _ body: (Database) throws -> Value
    ) throws(StoreError) -> Value {
        try StoreError.wrap(operation, subject) { try queue.read(body) }
    }

    /// SQLite's own check of the whole file; an empty array where it is sound.
    package func integrityProblems() throws(StoreError) -> [String] {
        try read("check", path) { db in
            var found = try String.fetchAll(db, sql: "PRAGMA integrity_check")
            found.removeAll { $0 == "ok" }
            let orphans = try Row.fetchAll(db, sql: "PRAGMA foreign_key_check").count
            if orphans > 0 { found.append("\(orphans) rows refer to rows that do not exist") }
            return found
        }
    }

    /// Looks at every page, not at what indexes say of rows: some seconds for a million rows.
    ///
    /// - Returns: the first damages, as SQLite words them; an empty array where there is none.
    package func damage() throws(StoreError) -> [String] {
        var found: [String] = []
        do throws(StoreError) {
            // Outside of a transaction, whose end would fail for what was met in it.
            try StoreError.wrap("check", path) {
                try queue.unsafeRead { db in
                    let rows = try String.fetchCursor(db, sql: "PRAGMA quick_check(20)")
                    while let row = try rows.next() { found.append(row) }
                }
            }
        } catch let error where error.cause.isDamage {
            found.append(error.description)
        }
        // Its first line says which database, of one.
        return found.flatMap { $0.split(separator: "\n") }.map(String.init)
            .filter { $0 != "ok" && !$0.hasPrefix("***") }
    }
}
