// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import AicoCore
import AicoKeys
import Foundation
import GRDB

/// Output lines.
extension StoreReads {
    /// Lines of an execution, in the order they came.
    ///
    /// - Parameters:
    ///   - execution: the execution's id.
    ///   - after: only lines whose id is greater; 0 for all.
    ///   - limit: at most this many.
    ///   - fromEnd: the last lines instead of the first, in the same order.
    package func logs(
        execution: String, after: Int64 = 0, limit: Int, fromEnd: Bool = false
    ) throws(StoreError) -> StorePage<StoredLogLine> {
        var found = try page(
            "read log of", execution, id: LogColumn.id, limit: limit,
            """
            SELECT \(LogColumn.list) FROM execution_logs
            WHERE execution_id = :execution AND id > :after
            ORDER BY id \(fromEnd ? "DESC" : "") LIMIT :most
            """, ["execution": execution, "after": after]
        ) { row throws(StoreError) in try line(row, of: execution) }
        guard fromEnd else { return found }
        // Nothing follows what was read first.
        found.last = [found.records.first?.id, found.unreadable.first?.row].compactMap { $0 }.max()
        found.isCut = false
        found.records.reverse()
        found.unreadable.reverse()
        return found
    }

    private func line(_ row: Row, of execution: String) throws(StoreError) -> StoredLogLine {
        let id = Int64.fromDatabaseValue(row[LogColumn.id]) ?? 0
        let columns = Columns<LogColumn>(
            row: row, operation: "read log line", subject: String(id))
        let attempt: Int64 = try columns.value(.attempt)
        let sequence: UInt32 = try columns.value(.sequence)
        let sealed: Data = try columns.value(.line)
        let bytes = try? sealer.open(
            Array(sealed), table: "execution_logs", column: "line",
            row: "\(execution)/\(attempt)/\(sequence)")
        return StoredLogLine(
            id: id, attempt: UInt64(bitPattern: attempt), sequence: sequence,
            stream: try columns.value(.stream), at: try columns.instant(.at),
            line: bytes.map { String(decoding: $0, as: UTF8.self) })
    }
}

extension TaskStore {
    /// The longest stored line, in bytes: what a report can carry, the mark of one that was cut
    /// before included. What is longer is cut, and says so.
    package static let maximumLineBytes = 64 * 1024

    func write(_ line: LogEntry, _ db: Database) throws -> StoreOutcome {
        let attempt = Int64(bitPattern: line.attempt.value)
        let sealed = try sealer.seal(
            Array(CutText.fitting(line.line, limit: Self.maximumLineBytes).utf8),
            table: "execution_logs",
            column: "line", row: "\(line.executionID)/\(attempt)/\(line.sequence)")
        try db.cachedStatement(
            sql: """
                INSERT INTO execution_logs (execution_id, attempt, seq, stream, at, line)
                SELECT execution_id, ?, ?, ?, ?, ? FROM task_executions WHERE execution_id = ?
                ON CONFLICT (execution_id, attempt, seq) DO NOTHING
                """
        ).execute(arguments: [
            attempt, line.sequence, line.stream.rawValue, StoreTime.text(line.at), Data(sealed),
            line.executionID,
        ])
        return db.changesCount == 1 ? .done : .notFound
    }
}
