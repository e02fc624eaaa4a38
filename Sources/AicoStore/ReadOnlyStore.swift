// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoKeys
import GRDB
import GRDBSQLite
import Glibc
import Synchronization

/// The store as somebody sees it who cannot write: a connection of its own, whose reads end at a
/// time of its holder's choice.
package final class ReadOnlyStore: StoreReads {
    /// The connection that it reads from.
    package let connection: StoreConnection
    private let limit: ReadLimit

    /// Opens a database that is there.
    ///
    /// - Parameter busyTimeout: seconds to wait where another process recovers the database;
    ///   writers do not hold up readers.
    init(
        path: String, keys: KeyRing, busyTimeout: Double = 2, limit: ReadLimit = ReadLimit()
    ) throws(StoreError) {
        self.limit = limit
        let queue = try StoreError.wrap("open", path) {
            var configuration = StoreConnection.configuration(
                label: "aico.store.reader", busyTimeout: busyTimeout)
            configuration.readonly = true
            configuration.prepareDatabase { db in limit.watch(db) }
            return try DatabaseQueue(path: path, configuration: configuration)
        }
        connection = StoreConnection(path: path, queue: queue, keys: keys)
    }

    /// Runs `body`; its reads are interrupted after `duration` (`StoreError.Cause.tookTooLong`).
    func withLimit<Value>(
        _ duration: Duration, _ body: (ReadOnlyStore) throws(StoreError) -> Value
    ) throws(StoreError) -> Value {
        limit.begin(duration)
        defer { limit.end() }
        return try body(self)
    }
}

/// When the reads of a connection have to be over.
///
/// SQLite asks every few thousand steps of its virtual machine, so that a read needs no second
/// thread to end it, and a connection that reads nothing none to watch it.
final class ReadLimit: Sendable {
    /// Nanoseconds of the monotonic clock; 0 for none, 1 for at once.
    private let deadline = Atomic<Int64>(0)
    private let isEnded = Atomic<Bool>(false)

    /// Ends what is read now and all that is read later.
    func endAll() { isEnded.store(true, ordering: .releasing) }

    var hasEnded: Bool { isEnded.load(ordering: .acquiring) }

    fileprivate func begin(_ duration: Duration) {
        deadline.store(
            Self.now &+ duration.wholeMicroseconds &* 1000, ordering: .releasing)
    }

    fileprivate func end() { deadline.store(0, ordering: .releasing) }

    fileprivate var isOver: Bool {
        let deadline = deadline.load(ordering: .acquiring)
        return hasEnded || (deadline != 0 && Self.now >= deadline)
    }

    /// The connection's configuration holds `self` for as long as the connection lives.
    fileprivate func watch(_ db: Database) {
        sqlite3_progress_handler(
            db.sqliteConnection, 10_000,
            { limit in
                guard let limit else { return 0 }
                return Unmanaged<ReadLimit>.fromOpaque(limit).takeUnretainedValue().isOver ? 1 : 0
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    private static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
