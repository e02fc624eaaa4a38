// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import GRDB

/// A row that holds what no row of its table does.
package struct UnreadableRow: Sendable, Equatable {
    /// Its row id.
    package var row: Int64
    /// What of it cannot be read, as `cannot read execution "e1": its state is malformed`.
    package var error: StoreError
}

/// A part of a list: what of its rows can be read, and what cannot. It counts as its records.
///
/// A row that cannot be read hides no other: a page has as many records as were asked for where
/// so many are there, and passes over at most `mostUnreadable` rows for them.
package struct StorePage<Record: Sendable>: Sendable {
    /// Bounds what a page costs where all rows are damaged; the next one goes on behind them.
    package static var mostUnreadable: Int { 1000 }

    /// What was read, in the list's order.
    package var records: [Record] = []
    /// What could not be.
    package var unreadable: [UnreadableRow] = []
    /// The row that was read last, whether it could be or not; nil where none was.
    package var last: Int64?
    /// Whether it ended for its bounds, and rows may follow the last one.
    package var isCut = false

    /// The row that a further page goes on after; nil at the list's end.
    package var next: Int64? { isCut ? last : nil }

    /// Adds what `body` reads of a row, or that it cannot be read; another error is thrown on.
    mutating func add(_ row: Int64, _ body: () throws(StoreError) -> Record) throws(StoreError) {
        last = row
        do throws(StoreError) {
            records.append(try body())
        } catch let error where error.cause.isOfOneRow {
            unreadable.append(UnreadableRow(row: row, error: error))
        }
    }
}

extension StorePage: RandomAccessCollection {
    package var startIndex: Int { records.startIndex }
    package var endIndex: Int { records.endIndex }
    package subscript(position: Int) -> Record { records[position] }
}

extension StoreReads {
    /// Reads a page: `sql` selects rows in the list's order, with `LIMIT :most` at its end.
    func page<Record: Sendable>(
        _ operation: String, _ subject: String = "", id: some ColumnExpression, limit: Int,
        _ sql: String, _ arguments: StatementArguments,
        _ record: (Row) throws(StoreError) -> Record
    ) throws(StoreError) -> StorePage<Record> {
        typealias Page = StorePage<Record>
        let (most, isMore) = limit.addingReportingOverflow(Page.mostUnreadable)
        let bound: StatementArguments = ["most": isMore ? .max : most]
        return try read(operation, subject) { db in
            var page = Page()
            let rows = try Row.fetchCursor(
                db.cachedStatement(sql: sql), arguments: arguments + bound)
            while let row = try rows.next() {
                let number = Int64.fromDatabaseValue(row[id]) ?? 0
                try page.add(number) { () throws(StoreError) in try record(row) }
                page.isCut =
                    page.records.count >= limit || page.unreadable.count >= Page.mostUnreadable
                if page.isCut { break }
            }
            return page
        }
    }
}
