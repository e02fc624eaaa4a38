// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// What could be read of a database that may be damaged, and what could not.
///
/// Damage of one page or row must not stop what does not need it.
package struct Recovered<Record: Sendable>: Sendable {
    /// The records that were read, in their order.
    package var records: [Record]
    /// What was not: each with the row or the part of the table that is lost.
    package var damages: [StoreError]

    package init(records: [Record] = [], damages: [StoreError] = []) {
        self.records = records
        self.damages = damages
    }

    /// Adds what `body` reads, or the damage that it meets; another error is thrown on.
    mutating func add(_ body: () throws(StoreError) -> Record?) throws(StoreError) {
        do throws(StoreError) {
            if let record = try body() { records.append(record) }
        } catch let error where error.cause.isDamage {
            damages.append(error)
        }
    }
}
