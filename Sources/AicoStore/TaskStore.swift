// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

public import AicoKeys
import GRDB
import Glibc

/// The scheduler's store: one SQLite database, one writer, synchronous calls.
///
/// WAL with synchronous=FULL: what `perform` returned is on the disk. Use it from one thread; a
/// call blocks for the length of its transaction, and up to five seconds where the vacuum task
/// holds the database (`StoreError.Cause.busy` after that).
///
/// Config, result, error message and log lines are sealed; all else is readable in the file.
/// Times are texts of one fixed-width form, `2025-01-15T10:00:00.000000Z`.
public final class TaskStore {
    /// The database file's path.
    public let path: String
    let queue: DatabaseQueue
    let keys: KeyRing
    let sealer: Sealer

    /// Opens the database at `path`, makes it where there is none, and migrates it.
    ///
    /// - Parameters:
    ///   - path: the database file; its directory must exist.
    ///   - keys: the ring that sealed the rows there are.
    ///   - busyTimeout: seconds to wait for another process's write lock.
    public init(path: String, keys: KeyRing, busyTimeout: Double = 5) throws(StoreError) {
        self.path = path
        self.keys = keys
        sealer = keys.sealer
        try Self.prepareFile(path)
        queue = try StoreError.wrap("open", path) {
            var configuration = GRDB.Configuration()
            configuration.journalMode = .wal
            configuration.busyMode = .timeout(busyTimeout)
            configuration.label = "aico.store"
            configuration.maximumReaderCount = 1
            configuration.prepareDatabase { db in
                // Takes effect only before the first table, so before the switch to WAL.
                try db.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL")
                try db.execute(sql: "PRAGMA secure_delete = FAST")
            }
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            // GRDB sets NORMAL with WAL, where a power cut can undo a claim whose order was sent.
            try queue.writeWithoutTransaction { db in
                try db.execute(sql: "PRAGMA synchronous = FULL")
            }
            return queue
        }
        let migrations = Migrations.all
        let unknown = try read("migrate", path) { db in
            try migrations.appliedIdentifiers(db).subtracting(migrations.migrations).min()
        }
        if let unknown {
            throw StoreError(operation: "migrate", subject: path, cause: .newerSchema(unknown))
        }
        try StoreError.wrap("migrate", path) { try migrations.migrate(queue) }
    }

    /// Checkpoints the write-ahead log and closes the database; later calls throw.
    public func close() throws(StoreError) {
        try StoreError.wrap("close", path) {
            try queue.writeWithoutTransaction { db in _ = try db.checkpoint(.truncate) }
            try queue.close()
        }
    }

    /// SQLite's own check of the whole file; an empty array where it is sound.
    public func integrityProblems() throws(StoreError) -> [String] {
        try read("check", path) { db in
            var found = try String.fetchAll(db, sql: "PRAGMA integrity_check")
            found.removeAll { $0 == "ok" }
            let orphans = try Row.fetchAll(db, sql: "PRAGMA foreign_key_check").count
            if orphans > 0 { found.append("\(orphans) rows refer to rows that do not exist") }
            return found
        }
    }

    /// Runs reads; errors become `StoreError`.
    func read<Value>(
        _ operation: String, _ subject: String = "", _ body: (Database) throws -> Value
    ) throws(StoreError) -> Value {
        try StoreError.wrap(operation, subject) { try queue.read(body) }
    }

    /// Runs one BEGIN IMMEDIATE transaction; an error rolls all of it back.
    func write<Value>(
        _ operation: String, _ subject: String = "", _ body: (Database) throws -> Value
    ) throws(StoreError) -> Value {
        try StoreError.wrap(operation, subject) { try queue.write(body) }
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

extension StoreError {
    /// Runs `body` and gives every error its operation and subject.
    static func wrap<Value>(
        _ operation: String, _ subject: String, _ body: () throws -> Value
    ) throws(StoreError) -> Value {
        do {
            return try body()
        } catch let error as StoreError {
            throw error
        } catch let error as KeyError {
            throw StoreError(operation: operation, subject: subject, cause: .sealed(error))
        } catch let error as DatabaseError {
            throw StoreError(operation: operation, subject: subject, cause: Cause(error))
        } catch {
            throw StoreError(
                operation: operation, subject: subject,
                cause: .database(code: 1, message: String(describing: type(of: error))))
        }
    }
}

extension StoreError.Cause {
    /// The message without statement arguments: they may be what a task wrote.
    fileprivate init(_ error: DatabaseError) {
        switch error.resultCode {
        case .SQLITE_BUSY, .SQLITE_LOCKED: self = .busy
        case .SQLITE_FULL, .SQLITE_READONLY: self = .noSpace
        case .SQLITE_CORRUPT, .SQLITE_NOTADB: self = .damaged
        default:
            self = .database(
                code: error.extendedResultCode.rawValue,
                message: error.message ?? "no message")
        }
    }
}
