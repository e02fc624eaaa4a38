// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import GRDB

/// Why a database is not one of counts.
struct LearningStoreError: Error, Equatable, CustomStringConvertible {
    enum Reason: Equatable {
        case newerVersion(Int)
        /// A column of a checkpoint has what no run wrote there.
        case checkpoint(name: String, column: String, value: Int64)
    }

    var path: String
    var reason: Reason

    var description: String {
        let words =
            switch reason {
            case .newerVersion(let version): "version \(version) is newer than this type's"
            case .checkpoint(let name, let column, let value):
                "the checkpoint of \"\(name)\" has \(value) as \(column)"
            }
        return "cannot use the counts in \"\(path)\": \(words); move the file away to learn anew"
    }
}

/// The counts and checkpoints in SQLite.
///
/// - `terms`: how often each term was there; of many only the most frequent stay.
/// - `activity`: how many interactions fell into an hour of a weekday (0 is Sunday) of a zone.
/// - `totals`: lines, skipped lines, terms and bytes of all runs.
/// - `checkpoints`: how far each file was read, by inode: a file may get another name.
///
/// The journal is the one that leaves no files behind, so that a copy of the one file is whole.
struct LearningStore {
    static let version = 1
    private static let schema = """
        CREATE TABLE terms (
            term TEXT NOT NULL PRIMARY KEY, count INTEGER NOT NULL
        ) WITHOUT ROWID, STRICT;
        CREATE TABLE activity (
            timezone TEXT NOT NULL, weekday INTEGER NOT NULL, hour INTEGER NOT NULL,
            count INTEGER NOT NULL, PRIMARY KEY (timezone, weekday, hour)
        ) WITHOUT ROWID, STRICT;
        CREATE TABLE totals (
            name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL
        ) WITHOUT ROWID, STRICT;
        CREATE TABLE checkpoints (
            inode INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL, offset INTEGER NOT NULL,
            in_long_line INTEGER NOT NULL, head_bytes INTEGER NOT NULL, head_hash INTEGER NOT NULL
        ) STRICT;
        PRAGMA user_version = 1;
        """

    private let lock: LearningLock
    private let queue: DatabaseQueue
    private let maximumTerms: Int

    /// Opens the database of a directory and makes its tables where there are none.
    init(lock: LearningLock, maximumTerms: Int) throws {
        self.lock = lock
        self.maximumTerms = maximumTerms
        var configuration = Configuration()
        configuration.busyMode = .timeout(10)
        configuration.label = "aico.learning"
        configuration.prepareDatabase { db in
            try db.execute(sql: "PRAGMA temp_store = MEMORY")
            try db.execute(sql: "PRAGMA secure_delete = FAST")
        }
        queue = try DatabaseQueue(path: lock.database, configuration: configuration)
        try queue.write { db in
            let found = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
            guard found != Self.version else { return }
            guard found == 0 else {
                throw LearningStoreError(path: lock.database, reason: .newerVersion(found))
            }
            try db.execute(sql: Self.schema)
        }
    }

    /// All checkpoints by inode.
    func checkpoints() throws -> [UInt64: Checkpoint] {
        try queue.read { db in
            var found: [UInt64: Checkpoint] = [:]
            for row in try Row.fetchAll(db, sql: "SELECT * FROM checkpoints") {
                let checkpoint = try checkpoint(row)
                found[checkpoint.inode] = checkpoint
            }
            return found
        }
    }

    /// Not by subscripts, which end the process where a row is damaged.
    private func checkpoint(_ row: Row) throws -> Checkpoint {
        let name = try row.decode(String.self, forColumn: "name")
        /// What a file is read by.
        func number(_ column: String, _ range: ClosedRange<Int64>) throws -> Int64 {
            let value = try row.decode(Int64.self, forColumn: column)
            guard range.contains(value) else {
                throw LearningStoreError(
                    path: lock.database,
                    reason: .checkpoint(name: name, column: column, value: value))
            }
            return value
        }
        return Checkpoint(
            inode: UInt64(bitPattern: try row.decode(Int64.self, forColumn: "inode")), name: name,
            offset: try number("offset", 0...Int64.max),
            isSkipping: try row.decode(forColumn: "in_long_line"),
            head: FileHead(
                bytes: Int(try number("head_bytes", 0...Int64(FileHead.maximumBytes))),
                hash: UInt64(bitPattern: try row.decode(Int64.self, forColumn: "head_hash"))))
    }

    /// Removes the checkpoints of files that are gone.
    func forget(_ inodes: [UInt64]) throws {
        guard !inodes.isEmpty else { return }
        try queue.write { db in
            for inode in inodes {
                try db.execute(
                    sql: "DELETE FROM checkpoints WHERE inode = ?",
                    arguments: [Int64(bitPattern: inode)])
            }
        }
    }

    /// Adds a batch's counts and moves its file's checkpoint, both or neither.
    func commit(_ batch: Batch, _ checkpoint: Checkpoint, zone: String, bytes: Int64) throws {
        try queue.write { db in
            let term = try db.makeStatement(
                sql: """
                    INSERT INTO terms VALUES (?, ?)
                    ON CONFLICT DO UPDATE SET count = count + excluded.count
                    """)
            for (text, count) in batch.counts { try term.execute(arguments: [text, count]) }
            for (slot, count) in batch.activity {
                try db.execute(
                    sql: """
                        INSERT INTO activity VALUES (?, ?, ?, ?)
                        ON CONFLICT DO UPDATE SET count = count + excluded.count
                        """, arguments: [zone, slot.weekday, slot.hour, count])
            }
            for (name, value) in [
                ("lines", Int64(batch.lines)), ("skipped", Int64(batch.skipped)),
                ("terms", Int64(batch.terms)), ("bytes", bytes),
            ] {
                try db.execute(
                    sql: """
                        INSERT INTO totals VALUES (?, ?)
                        ON CONFLICT DO UPDATE SET value = value + excluded.value
                        """, arguments: [name, value])
            }
            try Self.write(checkpoint, db)
            // Some room above the limit, as every removal sorts all terms.
            try Self.prune(db, above: maximumTerms + maximumTerms / 10, to: maximumTerms)
        }
    }

    /// Removes the least frequent terms above the limit; gives how many different ones stay.
    func prune() throws -> Int {
        try queue.write { try Self.prune($0, above: maximumTerms, to: maximumTerms) }
    }

    private static func write(_ checkpoint: Checkpoint, _ db: Database) throws {
        try db.execute(
            sql: "INSERT OR REPLACE INTO checkpoints VALUES (?, ?, ?, ?, ?, ?)",
            arguments: [
                Int64(bitPattern: checkpoint.inode), checkpoint.name, checkpoint.offset,
                checkpoint.isSkipping, checkpoint.head.bytes,
                Int64(bitPattern: checkpoint.head.hash),
            ])
    }

    @discardableResult
    private static func prune(_ db: Database, above limit: Int, to kept: Int) throws -> Int {
        let count = try Int.fetchOne(db, sql: "SELECT count(*) FROM terms") ?? 0
        guard count > limit else { return count }
        try db.execute(
            sql: """
                DELETE FROM terms WHERE term IN (
                    SELECT term FROM terms ORDER BY count, term DESC LIMIT ?)
                """, arguments: [count - kept])
        return kept
    }
}
