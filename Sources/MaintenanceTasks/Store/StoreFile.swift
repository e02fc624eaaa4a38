// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import GRDB
import GRDBSQLite
import LinuxSystem
import SystemPackage
import TaskKit

/// The scheduler's database as a second process uses it: short transactions, short waits.
///
/// It is opened without the keys: what is sealed stays sealed here.
struct StoreFile {
    /// Where the database lies in the class root.
    static let defaultPath = "/aico/store/aico.db"

    let path: String
    let queue: DatabaseQueue

    /// Opens a database that is there; never makes one.
    ///
    /// - Parameter busyTimeout: seconds to wait for the scheduler's write lock.
    init(path: String, busyTimeout: Double) throws(StoreFileError) {
        self.path = path
        let status: FileStatus
        do throws(Errno) {
            status = try FileStatus(of: path)
        } catch {
            throw StoreFileError(path: path, reason: "\(error)", code: error.rawValue)
        }
        guard status.kind == .regular else {
            throw StoreFileError(path: path, reason: "not a regular file")
        }
        var configuration = Configuration()
        configuration.busyMode = .timeout(busyTimeout)
        configuration.label = "aico.maintenance"
        configuration.prepareDatabase { db in
            try db.execute(sql: "PRAGMA temp_store = MEMORY")
            try db.execute(sql: "PRAGMA secure_delete = FAST")
        }
        do {
            queue = try DatabaseQueue(path: path, configuration: configuration)
        } catch {
            throw StoreFileError(path: path, error)
        }
    }

    /// Runs statements outside of any transaction.
    func statements<Value>(_ body: (Database) throws -> Value) throws(StoreFileError) -> Value {
        do {
            return try queue.writeWithoutTransaction(body)
        } catch {
            throw StoreFileError(path: path, error)
        }
    }

    /// Runs one write transaction, which begins with the write lock in hand.
    func write<Value>(_ body: (Database) throws -> Value) throws(StoreFileError) -> Value {
        do {
            return try queue.writeWithoutTransaction { db in
                var value: Value?
                try db.inTransaction(.immediate) {
                    value = try body(db)
                    return .commit
                }
                guard let value else { throw DatabaseError(resultCode: .SQLITE_MISUSE) }
                return value
            }
        } catch {
            throw StoreFileError(path: path, error)
        }
    }

    /// Runs one write transaction; waits for the lock again while it is held elsewhere, as a
    /// cancelled task or one that waits long is worth more than a failed one.
    func patientWrite<Value>(
        _ context: TaskContext, _ body: (Database) throws -> Value
    ) throws -> Value {
        while true {
            do throws(StoreFileError) {
                return try write(body)
            } catch {
                guard error.isBusy else { throw error }
                try context.checkCancellation()
            }
        }
    }

    /// Bytes of the database and its write-ahead log on disk.
    var bytesOnDisk: Int64 { Self.bytes(path) + Self.bytes(path + "-wal") }

    private static func bytes(_ path: String) -> Int64 {
        (try? FileStatus(of: path).size) ?? 0
    }
}

/// Why the database cannot be used.
struct StoreFileError: Error, CustomStringConvertible {
    var path: String
    var reason: String
    /// errno, or SQLite's primary result code.
    var code: Int32 = 0
    /// Another process held the lock all the time.
    var isBusy = false
    /// The file's content is wrong.
    var isDamaged = false
    /// It was stopped on purpose.
    var isInterrupted = false

    init(path: String, reason: String, code: Int32 = 0) {
        self.path = path
        self.reason = reason
        self.code = code
    }

    init(path: String, _ error: any Error) {
        self.path = path
        guard let error = error as? DatabaseError else {
            reason = "\(error)"
            return
        }
        // Without the statement's arguments: they may be what a task wrote.
        reason = error.message ?? error.resultCode.description
        code = error.resultCode.rawValue
        isBusy = [.SQLITE_BUSY, .SQLITE_LOCKED].contains(error.resultCode)
        isDamaged = [.SQLITE_CORRUPT, .SQLITE_NOTADB].contains(error.resultCode)
        isInterrupted = error.resultCode == .SQLITE_INTERRUPT
    }

    var description: String { "cannot use the database \"\(path)\": \(reason)" }
}

/// Stops a long statement when it should.
enum StatementLimit {
    private final class Box {
        let stop: () -> Bool
        init(_ stop: @escaping () -> Bool) { self.stop = stop }
    }

    /// Runs `body`; a statement in it fails as interrupted once `stop` is true.
    static func run<Value>(
        _ db: Database, until stop: @escaping () -> Bool, _ body: () throws -> Value
    ) throws -> Value {
        let box = Box(stop)
        return try withExtendedLifetime(box) {
            sqlite3_progress_handler(
                db.sqliteConnection, 20_000,
                { pointer in
                    guard let pointer else { return 0 }
                    return Unmanaged<Box>.fromOpaque(pointer).takeUnretainedValue().stop() ? 1 : 0
                }, Unmanaged.passUnretained(box).toOpaque())
            defer { sqlite3_progress_handler(db.sqliteConnection, 0, nil, nil) }
            return try body()
        }
    }
}
