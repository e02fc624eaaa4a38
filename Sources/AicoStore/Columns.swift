// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import GRDB

/// A row whose columns may hold anything, since the file may be damaged or written by others.
struct Columns {
    let row: Row
    /// What is read, for errors, as `read attempt`.
    let operation: String
    /// The id of what is read.
    let subject: String

    func text(_ name: String) throws(StoreError) -> String { try value(name) }

    func instant(_ name: String) throws(StoreError) -> Instant {
        guard let instant = StoreTime.instant(try text(name)) else { throw malformed(name) }
        return instant
    }

    func value<Value: DatabaseValueConvertible>(_ name: String) throws(StoreError) -> Value {
        guard let value: Value = optional(name) else { throw malformed(name) }
        return value
    }

    func named<Value: RawRepresentable<String>>(_ name: String) throws(StoreError) -> Value {
        guard let value = Value(rawValue: try text(name)) else { throw malformed(name) }
        return value
    }

    func optionalInstant(_ name: String) -> Instant? {
        optional(name).flatMap { (text: String) in StoreTime.instant(text) }
    }

    /// Nil where it is NULL, or of another type.
    func optional<Value: DatabaseValueConvertible>(_ name: String) -> Value? {
        let value: DatabaseValue = row[name]
        return Value.fromDatabaseValue(value)
    }

    func malformed(_ name: String) -> StoreError {
        StoreError(operation: operation, subject: subject, cause: .malformedRow(name))
    }
}
