// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import AicoCore
import AicoKeys
import Foundation
import GRDB

/// What `verifyAudit` found.
package enum AuditVerdict: Sendable, Equatable {
    /// All entries are linked; their number.
    case intact(entries: Int)
    /// The entry with this row id, or one before it, was changed, removed or added.
    case broken(at: Int64)
}

/// The audit log: each entry holds an HMAC over itself and the link before it.
///
/// Whoever can write the database but not read the master key cannot change, remove or add an
/// entry unnoticed, but can cut entries off the end. The oldest entries are removed in time; an
/// `AuditAnchor` holds the link that the first one left continues.
extension StoreReads {
    /// Entries, newest first.
    package func audit(limit: Int) throws(StoreError) -> StorePage<AuditEntry> {
        try page(
            "read audit log", id: AuditColumn.id, limit: limit,
            "SELECT \(AuditColumn.list) FROM audit_log ORDER BY id DESC LIMIT :most", [:]
        ) { row throws(StoreError) in
            let columns = Columns<AuditColumn>(
                row: row, operation: "read audit entry",
                subject: String(Int64.fromDatabaseValue(row[AuditColumn.id]) ?? 0))
            return AuditEntry(
                at: try columns.instant(.at), actor: try columns.text(.actor),
                action: try columns.text(.action), subject: try columns.text(.subject),
                detail: try columns.text(.detail))
        }
    }

    /// Checks the whole chain, from where it begins now.
    package func verifyAudit() throws(StoreError) -> AuditVerdict {
        try read("verify audit log") { db in try verdict(through: .max, db) }
    }

    /// Checks the chain up to an entry.
    func verdict(through last: Int64, _ db: Database) throws -> AuditVerdict {
        var previous = firstLink
        do {
            if let anchor = try AuditAnchor.read(db, keys) { previous = anchor.link }
        } catch let error as StoreError where error.cause.isDamage {
            return .broken(at: try Int64.fetchOne(db, sql: "SELECT MIN(id) FROM audit_log") ?? 0)
        }
        var count = 0
        let rows = try Row.fetchCursor(
            db, sql: "SELECT \(AuditColumn.list) FROM audit_log WHERE id <= ? ORDER BY id",
            arguments: [last])
        while let row = try rows.next() {
            let columns = Columns<AuditColumn>(row: row, operation: "verify audit log", subject: "")
            let id: Int64 = try columns.value(.id)
            let fields: [AuditColumn] = [.at, .actor, .action, .subject, .detail]
            let texts = fields.compactMap { columns.optional($0) as String? }
            let link = keys.auditLink(previous: previous, fields: texts)
            guard texts.count == fields.count, columns.optional(.previous) == Data(previous),
                columns.optional(.link) == Data(link)
            else { return .broken(at: id) }
            previous = link
            count += 1
        }
        return .intact(entries: count)
    }

    fileprivate var firstLink: [UInt8] { [UInt8](repeating: 0, count: 32) }
}

extension TaskStore {
    func append(_ entry: AuditEntry, _ db: Database) throws -> StoreOutcome {
        let last = try db.cachedStatement(
            sql: "SELECT link FROM audit_log ORDER BY id DESC LIMIT 1")
        let previous = try Data.fetchOne(last).map(Array.init) ?? firstLink
        let at = StoreTime.text(entry.at)
        let link = keys.auditLink(
            previous: previous,
            fields: [at, entry.actor, entry.action, entry.subject, entry.detail])
        try db.cachedStatement(
            sql: """
                INSERT INTO audit_log (at, actor, action, subject, detail, previous, link)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            at, entry.actor, entry.action, entry.subject, entry.detail, Data(previous), Data(link),
        ])
        return .done
    }
}
