// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoKeys
import Foundation
import GRDB

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
    /// Tells one master key from another and says nothing of either: an HMAC of fixed words under
    /// a key that derives from it.
    var checkValue: [UInt8] { auditLink(previous: [], fields: ["check of the master key"]) }
}
