// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import AicoKeys
import GRDB
import Glibc

/// The scheduler's store: one SQLite database, one writer, synchronous calls.
///
/// WAL with synchronous=FULL: what `perform` returned is on the disk. A call blocks for the length
/// of its transaction, and up to five seconds where another process holds the database
/// (`StoreError.Cause.busy` after that); `StoreWriter` gives it a thread of its own.
///
/// Config, result, error message and log lines are sealed; all else is readable in the file.
/// Times are texts of one fixed-width form, `2025-01-15T10:00:00.000000Z`.
package final class TaskStore: StoreReads {
    /// The connection that it writes with.
    package let connection: StoreConnection
    let busyTimeout: Double

    /// Opens the database at `path`, makes it where there is none, and migrates it.
    ///
    /// - Parameters:
    ///   - path: the database file; its directory must exist.
    ///   - keys: the ring that sealed the rows there are; `StoreError.Cause.wrongKey` where it
    ///     is another.
    ///   - busyTimeout: seconds to wait for another process's write lock.
    package init(path: String, keys: KeyRing, busyTimeout: Double = 5) throws(StoreError) {
        self.busyTimeout = busyTimeout
        try Self.prepareFile(path)
        connection = try Self.connect(path: path, keys: keys, busyTimeout: busyTimeout)
        let migrations = Migrations.all
        let unknown = try read("migrate", path) { db in
            try migrations.appliedIdentifiers(db).subtracting(migrations.migrations).min()
        }
        if let unknown {
            throw StoreError(operation: "migrate", subject: path, cause: .newerSchema(unknown))
        }
        try checkKnownKeys()
        try StoreError.wrap("migrate", path) { try migrations.migrate(queue) }
        try checkKeys()
    }

    /// Opens anew what `old` had open, as after an I/O error; nothing is made or migrated.
    init(reopening old: TaskStore) throws(StoreError) {
        busyTimeout = old.busyTimeout
        try? old.queue.close()
        connection = try Self.connect(
            path: old.path, keys: old.keys, busyTimeout: old.busyTimeout)
    }

    /// Checkpoints the write-ahead log and closes the database; later calls throw.
    ///
    /// Closed it is in any case; an error means that the log is carried over at the next start.
    package func close() throws(StoreError) {
        try StoreError.wrap("close", path) {
            let checkpoint = Result {
                // GRDB's own call hands a connection that is closed to SQLite, which crashes.
                try queue.writeWithoutTransaction { db in
                    try db.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)")
                }
            }
            try queue.close()
            try checkpoint.get()
        }
    }

    /// Runs one BEGIN IMMEDIATE transaction; an error rolls all of it back.
    func write<Value>(
        _ operation: String, _ subject: String = "", _ body: (Database) throws -> Value
    ) throws(StoreError) -> Value {
        try StoreError.wrap(operation, subject) { try queue.write(body) }
    }

    private static func connect(
        path: String, keys: KeyRing, busyTimeout: Double
    ) throws(StoreError) -> StoreConnection {
        let queue = try StoreError.wrap("open", path) {
            var configuration = StoreConnection.configuration(
                label: "aico.store", busyTimeout: busyTimeout)
            configuration.journalMode = .wal
            configuration.prepareDatabase { db in
                // Takes effect only before the first table, so before the switch to WAL.
                try db.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL")
                try db.execute(sql: "PRAGMA secure_delete = FAST")
            }
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            try queue.writeWithoutTransaction { db in
                // GRDB sets NORMAL with WAL, where a power cut can undo a claim whose order
                // was sent.
                try db.execute(sql: "PRAGMA synchronous = FULL")
                try db.execute(sql: "PRAGMA journal_size_limit = \(WriteAheadLog.keptBytes)")
            }
            return queue
        }
        return StoreConnection(path: path, queue: queue, keys: keys)
    }

    /// Makes the file ourselves: SQLite would leave out the group's write bit, which the
    /// maintenance class needs, and gives its WAL files the mode of the database.
    private static func prepareFile(_ path: String) throws(StoreError) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o660)
        guard descriptor >= 0 else {
            let code = errno
            throw StoreError(
                operation: "open", subject: path,
                cause: .database(code: 14, message: String(cString: strerror(code))))
        }
        Glibc.close(descriptor)
    }
}
