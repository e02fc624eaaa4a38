// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import GRDB
import TaskKit

/// What was removed, or would be.
struct RowTally: Equatable {
    var rows = 0
    var bytes = 0

    static func += (left: inout RowTally, right: RowTally) {
        left.rows += right.rows
        left.bytes += right.bytes
    }
}

/// Removes log lines from the store, oldest first, in transactions of at most `batch` rows.
struct LogRows {
    /// So many rows take about a millisecond.
    static let batch = 500

    let store: StoreFile
    let context: TaskContext
    var dryRun: Bool

    /// Removes the lines before `cutoff`.
    func remove(before cutoff: String) throws -> RowTally {
        if dryRun {
            return try tally("WHERE at < ?", [cutoff])
        }
        var removed = RowTally()
        while true {
            let part = try batch { rows in rows.prefix { $0.at < cutoff } }
            if part.rows == 0 { return removed }
            removed += part
            context.progress(nil, "\(removed.rows) log lines removed by age")
        }
    }

    /// Removes the oldest lines until all together have at most `limit` bytes; `removed` counts
    /// as gone already.
    func remove(beyond limit: Int, besides removed: RowTally) throws -> RowTally {
        var total = try tally("", []).bytes - (dryRun ? removed.bytes : 0)
        if dryRun { return try dryRun(beyond: limit, total: total, skipping: removed.rows) }
        var gone = RowTally()
        while total > limit {
            let part = try batch { rows in Self.excess(rows, total - limit) }
            if part.rows == 0 { break }
            gone += part
            total -= part.bytes
            context.progress(nil, "\(gone.rows) log lines removed by size")
        }
        return gone
    }

    private struct Line {
        var id: Int64
        var at: String
        var bytes: Int
    }

    /// The first lines that together have at least `bytes`.
    private static func excess(_ lines: [Line], _ bytes: Int) -> ArraySlice<Line> {
        var left = bytes
        let end = lines.firstIndex { line in
            if left <= 0 { return true }
            left -= line.bytes
            return false
        }
        return lines[..<(end ?? lines.endIndex)]
    }

    private func batch(_ choose: ([Line]) -> ArraySlice<Line>) throws -> RowTally {
        try TransactionThrottle(context).step {
            try store.patientWrite(context) { db in
                let chosen = choose(try oldest(db, skipping: 0))
                guard !chosen.isEmpty else { return RowTally() }
                let ids = chosen.map { "\($0.id)" }.joined(separator: ",")
                try db.execute(sql: "DELETE FROM execution_logs WHERE id IN (\(ids))")
                return RowTally(rows: chosen.count, bytes: chosen.reduce(0) { $0 + $1.bytes })
            }
        }
    }

    private func oldest(_ db: Database, skipping: Int) throws -> [Line] {
        try Row.fetchAll(
            db,
            sql: """
                SELECT id, at, \(Self.size) AS bytes FROM execution_logs
                ORDER BY at, id LIMIT \(Self.batch) OFFSET \(skipping)
                """
        ).map { row in
            // Any column may hold anything, but for the row's id: the file may be damaged.
            Line(
                id: row[0], at: String.fromDatabaseValue(row[1]) ?? "",
                bytes: Int.fromDatabaseValue(row[2]) ?? 0)
        }
    }

    private func dryRun(beyond limit: Int, total: Int, skipping: Int) throws -> RowTally {
        var total = total
        var gone = RowTally()
        while total > limit {
            try context.checkCancellation()
            let lines = try store.statements { db in
                try oldest(db, skipping: skipping + gone.rows)
            }
            let chosen = Self.excess(lines, total - limit)
            if chosen.isEmpty { break }
            let bytes = chosen.reduce(0) { $0 + $1.bytes }
            gone += RowTally(rows: chosen.count, bytes: bytes)
            total -= bytes
        }
        return gone
    }

    private func tally(_ filter: String, _ arguments: StatementArguments) throws -> RowTally {
        do throws(StoreFileError) {
            return try store.statements { db in
                try StatementLimit.run(db, until: { context.isCancelled }) {
                    let row = try Row.fetchOne(
                        db,
                        sql: """
                            SELECT count(*) AS rows, coalesce(sum(\(Self.size)), 0) AS bytes
                            FROM execution_logs \(filter)
                            """, arguments: arguments)
                    return RowTally(rows: row?["rows"] ?? 0, bytes: row?["bytes"] ?? 0)
                }
            }
        } catch {
            try context.checkCancellation()
            throw error
        }
    }

    /// A row with its entries in two indexes, in bytes of the file.
    private static let size = "(length(line) + 2 * length(execution_id) + 2 * length(at) + 32)"
}
