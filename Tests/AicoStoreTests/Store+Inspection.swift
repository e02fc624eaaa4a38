// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import GRDB

@testable import AicoStore

/// Looks behind the store's API, and damages rows.
extension TaskStore {
    func columns(of table: String) throws -> [String] {
        try queue.read { try $0.columns(in: table).map(\.name) }
    }

    func columns(ofIndex name: String) throws -> [String] {
        try queue.read {
            try String.fetchAll($0, sql: "SELECT name FROM pragma_index_info('\(name)')")
        }
    }

    func setting(_ name: String) throws -> String? {
        try queue.read { try String.fetchOne($0, sql: "PRAGMA \(name)") }
    }

    func count(_ table: String) throws -> Int {
        try queue.read { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM \(table)") ?? -1 }
    }

    /// In the order in which they were written.
    func executionsInOrder() throws -> [String] {
        try queue.read {
            try String.fetchAll($0, sql: "SELECT execution_id FROM task_executions ORDER BY id")
        }
    }

    func insertMigration(_ name: String) throws {
        try execute("INSERT INTO grdb_migrations (identifier) VALUES ('\(name)')")
    }

    func execute(_ sql: String, outsideTransaction: Bool = false) throws {
        if outsideTransaction {
            try queue.writeWithoutTransaction { try $0.execute(sql: sql) }
        } else {
            try queue.write { try $0.execute(sql: sql) }
        }
    }

    func inTransaction(_ body: () throws -> Void) throws {
        try queue.write { _ in try body() }
    }
}
