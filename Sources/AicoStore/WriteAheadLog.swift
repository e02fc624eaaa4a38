// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import GRDB
import Glibc

/// The bounds of the write-ahead log beside the database.
///
/// SQLite starts it over once all of it is in the database, which a long read puts off; then it
/// grows with every commit.
enum WriteAheadLog {
    /// The file is cut to this when it starts over.
    static let keptBytes = 16 << 20
    /// From this size on the writer tries to empty it itself.
    static let largeBytes = 32 << 20

    /// The size of the log beside a database; 0 where there is none.
    static func bytes(beside path: String) -> Int {
        var status = stat()
        return stat(path + "-wal", &status) == 0 ? Int(status.st_size) : 0
    }
}

extension StoreReads {
    /// The size of the write-ahead log; 0 where there is none.
    package var walBytes: Int { WriteAheadLog.bytes(beside: path) }
}

extension TaskStore {
    /// Empties the write-ahead log where nobody reads from it; waits for no reader.
    ///
    /// - Returns: whether it is empty now.
    @discardableResult
    func emptyLog() throws(StoreError) -> Bool {
        try StoreError.wrap("checkpoint", path) {
            try queue.writeWithoutTransaction { db in
                try db.execute(sql: "PRAGMA busy_timeout = 20")
                defer {
                    try? db.execute(sql: "PRAGMA busy_timeout = \(Int(busyTimeout * 1000))")
                }
                let row = try Row.fetchOne(db, sql: "PRAGMA wal_checkpoint(TRUNCATE)")
                return row?["busy"] == 0
            }
        }
    }
}
