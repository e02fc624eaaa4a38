// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoKeys
import Foundation
import GRDB

/// Where the audit log's chain begins once its oldest entries are gone.
///
/// Sealed under the audit key: who can write the database but not read the master key cannot move
/// the beginning and so remove entries unnoticed.
struct AuditAnchor {
    /// The row id of the last entry that was removed.
    var lastID: Int64
    /// How many were removed in all.
    var removed: Int64
    /// That entry's link, which the first one left continues.
    var link: [UInt8]

    func seal(_ keys: KeyRing) -> [UInt8] {
        // A marked entry of three fields: no entry of the log has as many.
        keys.auditLink(previous: link, fields: ["anchor", String(lastID), String(removed)])
    }

    /// Reads the anchor; nil where nothing was removed yet. Throws where it is not ours.
    static func read(_ db: Database, _ keys: KeyRing) throws -> AuditAnchor? {
        let sql = "SELECT \(AuditAnchorColumn.list) FROM audit_anchor"
        guard let row = try Row.fetchOne(db, sql: sql) else { return nil }
        let columns = Columns<AuditAnchorColumn>(
            row: row, operation: "read audit log", subject: "its beginning")
        let link: Data = try columns.value(.link)
        let anchor = AuditAnchor(
            lastID: try columns.value(.lastID), removed: try columns.value(.removed),
            link: Array(link))
        guard columns.optional(.seal) == Data(anchor.seal(keys)) else {
            throw columns.malformed(.seal)
        }
        return anchor
    }

    func write(_ db: Database, _ keys: KeyRing) throws {
        try db.execute(
            sql: """
                INSERT OR REPLACE INTO audit_anchor (only, last_id, removed, link, seal)
                VALUES (1, ?, ?, ?, ?)
                """, arguments: [lastID, removed, Data(link), Data(seal(keys))])
    }
}

extension TaskStore {
    /// Removes the oldest entries beyond a number or an age, but never the last one: the next
    /// entry continues it.
    func pruneAudit(before: Instant?, keeping limit: Int, _ db: Database) throws -> Int {
        guard let last = try Int64.fetchOne(db, sql: "SELECT MAX(id) FROM audit_log"),
            let first = try Int64.fetchOne(db, sql: "SELECT MIN(id) FROM audit_log")
        else { return 0 }
        // Ids have no gaps: entries are added in turn, and removed from the beginning alone.
        // But for a counter that was damaged, near either end of what it can be.
        var end = last.subtractingReportingOverflow(Int64(max(limit, 1))).partialValue
        guard end < last else { return 0 }
        if let before {
            let old = try Int64.fetchOne(
                db,
                sql: """
                    SELECT MIN(id) FROM audit_log WHERE at >= ?
                    """, arguments: [StoreTime.text(before)])
            end = max(end, (old ?? last) - 1)
        }
        end = min(
            end, last - 1, min(first, .max - Int64(Self.auditBatch)) + Int64(Self.auditBatch) - 1)
        guard end >= first,
            let link = try Data.fetchOne(
                db, sql: "SELECT link FROM audit_log WHERE id = ?", arguments: [end])
        else { return 0 }
        // A chain that is broken stays as it is: what shows the breach must not be tidied away.
        guard case .intact = try verdict(through: end, db) else { return 0 }
        let removed = try AuditAnchor.read(db, keys)?.removed ?? 0
        try db.execute(sql: "DELETE FROM audit_log WHERE id <= ?", arguments: [end])
        let count = db.changesCount
        try AuditAnchor(lastID: end, removed: removed + Int64(count), link: Array(link))
            .write(db, keys)
        return count
    }
}
