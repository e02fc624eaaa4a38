// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import AicoKeys
import Foundation
import GRDB
import GRDBSQLite

/// Whether the keys are those of the database: what another key sealed would be gone in silence.
extension TaskStore {
    /// Compares the master key's check value with the one in the database, or puts it there.
    func checkKeys() throws(StoreError) {
        let own = keys.checkValue
        let stored = try read("check the keys of", path) { db in
            try Data.fetchOne(db, sql: "SELECT value FROM key_check WHERE label = 'master'")
        }
        if let stored {
            guard Array(stored) == own else { throw wrongKey }
            return
        }
        // A database of before the check value: what it holds says whose it is.
        guard try opensWhatIsSealed() else { throw wrongKey }
        try write("check the keys of", path) { db in
            try db.execute(
                sql: "INSERT OR IGNORE INTO key_check (label, value) VALUES ('master', ?)",
                arguments: [Data(own)])
        }
    }

    /// The same before anything is migrated: what another key sealed stays as it is.
    func checkKnownKeys() throws(StoreError) {
        let isKnown = try read("check the keys of", path) { db in try db.tableExists("key_check") }
        if isKnown { try checkKeys() }
    }

    /// False where configs are there and none of the first ones opens.
    private func opensWhatIsSealed() throws(StoreError) -> Bool {
        let rows = try read("check the keys of", path) { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT task_id, config FROM scheduled_tasks WHERE config IS NOT NULL LIMIT 32
                    """)
        }
        return rows.isEmpty
            || rows.contains { row in
                guard let id = String.fromDatabaseValue(row[TaskColumn.taskID]),
                    let sealed = String.fromDatabaseValue(row[TaskColumn.config])
                else { return false }
                let opened = try? sealer.openText(
                    sealed, table: "scheduled_tasks", column: "config", row: id)
                return opened != nil
            }
    }

    private var wrongKey: StoreError {
        StoreError(operation: "open", subject: path, cause: .wrongKey)
    }
}

extension KeyRing {
    /// Whether a database says that it was made with another master key.
    ///
    /// It is read as one that nobody changes: nothing comes to be beside it, whoever looks. What
    /// only its log has is not seen, and one that cannot be read says nothing: opening it will.
    package func isForeign(toDatabase path: String) -> Bool {
        guard let stored = Self.checkValue(inDatabase: path) else { return false }
        return stored != checkValue
    }

    private static func checkValue(inDatabase path: String) -> [UInt8]? {
        let kept = Array("/-._~".utf8)
        let escaped = path.utf8.map { byte in
            let character = Character(UnicodeScalar(byte))
            let isPlain = byte < 0x80 && (character.isLetter || character.isNumber)
            return isPlain || kept.contains(byte)
                ? String(character) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
        var database: OpaquePointer?
        defer { sqlite3_close_v2(database) }
        let flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI
        guard
            sqlite3_open_v2("file:\(escaped)?immutable=1", &database, flags, nil) == SQLITE_OK
        else { return nil }
        var statement: OpaquePointer?
        defer { sqlite3_finalize(statement) }
        let query = "SELECT value FROM key_check WHERE label = 'master'"
        guard sqlite3_prepare_v2(database, query, -1, &statement, nil) == SQLITE_OK,
            sqlite3_step(statement) == SQLITE_ROW, let bytes = sqlite3_column_blob(statement, 0)
        else { return nil }
        let count = Int(sqlite3_column_bytes(statement, 0))
        return Array(UnsafeRawBufferPointer(start: bytes, count: count))
    }

    /// Tells one master key from another and says nothing of either: an HMAC of fixed words under
    /// a key that derives from it.
    var checkValue: [UInt8] { auditLink(previous: [], fields: ["check of the master key"]) }
}
