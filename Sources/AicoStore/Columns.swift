// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import GRDB

/// A row read by a list of columns; any may hold anything, since the file may be damaged or written
/// by others.
struct Columns<Column: ColumnExpression> {
    let row: Row
    /// What is read, for errors, as `read attempt`.
    let operation: String
    /// The id of what is read.
    let subject: String

    func text(_ column: Column) throws(StoreError) -> String { try value(column) }

    func instant(_ column: Column) throws(StoreError) -> Instant {
        guard let instant = StoreTime.instant(try text(column)) else { throw malformed(column) }
        return instant
    }

    func value<Value: DatabaseValueConvertible>(_ column: Column) throws(StoreError) -> Value {
        guard let value: Value = optional(column) else { throw malformed(column) }
        return value
    }

    func named<Value: RawRepresentable<String>>(_ column: Column) throws(StoreError) -> Value {
        guard let value = Value(rawValue: try text(column)) else { throw malformed(column) }
        return value
    }

    func optionalInstant(_ column: Column) -> Instant? {
        optional(column).flatMap { (text: String) in StoreTime.instant(text) }
    }

    /// Nil where it is NULL, or of another type.
    func optional<Value: DatabaseValueConvertible>(_ column: Column) -> Value? {
        let value: DatabaseValue = row[column]
        return Value.fromDatabaseValue(value)
    }

    func malformed(_ column: Column) -> StoreError {
        StoreError(operation: operation, subject: subject, cause: .malformedRow(column.name))
    }
}

extension ColumnExpression where Self: CaseIterable {
    /// All columns as SQL names them: a table that lacks one is SQLite's error, where `*` would give
    /// rows without it, whose reading ends the process.
    static var list: String { list(of: nil) }

    /// The same with the table's name or alias before each.
    static func list(of table: String?) -> String {
        let prefix = table.map { "\($0)." } ?? ""
        return allCases.map { prefix + $0.name }.joined(separator: ", ")
    }
}
