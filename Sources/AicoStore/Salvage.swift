// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import GRDB

/// Reads a table of which pages are damaged, row by row in the order of its row ids and without its
/// indexes, and goes on behind each damaged page.
struct Salvage {
    /// A page holds more rows than this, so that no sound page between two damaged ones is missed.
    private static let stride: Int64 = 8
    /// Where the largest row id cannot be known, the search ends so far behind the last one read.
    private static let horizon: Int64 = 1_000_000

    let db: Database
    let operation: String
    let table: String
    /// What was lost, each with where.
    private(set) var damages: [StoreError] = []

    init(_ db: Database, _ operation: String, table: String) {
        self.db = db
        self.operation = operation
        self.table = table
    }

    /// The ids of the rows that `condition` selects.
    mutating func rows(where condition: String) throws -> [Int64] {
        var found: [Int64] = []
        var next: Int64 = 0
        while true {
            do {
                let cursor = try Row.fetchCursor(
                    db,
                    sql: """
                        SELECT rowid, (\(condition)) FROM \(table) NOT INDEXED
                        WHERE rowid >= ? ORDER BY rowid
                        """, arguments: [next])
                while let row = try cursor.next() {
                    let id: Int64 = row[0]
                    if Bool.fromDatabaseValue(row[1]) == true { found.append(id) }
                    guard id < .max else { return found }
                    next = id + 1
                }
                return found
            } catch {
                try note(error, "\(table) from row \(next) on")
                guard let resumed = try resume(next) else { return found }
                next = resumed
            }
        }
    }

    /// Runs a read of one row; nil where it meets damage, which is noted.
    mutating func one<Value>(_ subject: String, _ body: () throws -> Value) throws -> Value? {
        do {
            return try body()
        } catch {
            try note(error, subject)
            return nil
        }
    }

    private mutating func note(_ error: any Error, _ subject: String) throws {
        let known = StoreError(operation, subject, error)
        guard known.cause.isDamage else { throw known }
        damages.append(
            StoreError(operation: operation, subject: subject, cause: known.cause))
    }

    /// The least row id from `start` on behind which something can be read; nil where nothing can.
    private func resume(_ start: Int64) throws -> Int64? {
        let last = Int64.max - Self.stride
        let end = min(lastRow() ?? min(start, last - Self.horizon) + Self.horizon, last)
        var bad = start
        while bad <= end {
            let good = bad + Self.stride
            if try isReadable(from: good) {
                return try (bad + 1...good).first { try isReadable(from: $0) }
            }
            bad = good
        }
        return nil
    }

    private func isReadable(from row: Int64) throws -> Bool {
        do {
            _ = try Int64.fetchOne(
                db,
                sql:
                    "SELECT rowid FROM \(table) NOT INDEXED WHERE rowid >= ? ORDER BY rowid LIMIT 1",
                arguments: [row])
            return true
        } catch {
            let known = StoreError(operation, table, error)
            guard known.cause.isDamage else { throw known }
            return false
        }
    }

    private func lastRow() -> Int64? {
        let last = try? Int64.fetchOne(db, sql: "SELECT MAX(rowid) FROM \(table)")
        if let last { return last }
        return try? Int64.fetchOne(
            db, sql: "SELECT seq FROM sqlite_sequence WHERE name = ?", arguments: [table])
    }
}
