// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Foundation
import GRDB

@testable import AicoStore

/// Looks behind the store's API, and damages rows.
extension TaskStore {
    /// The tables of ours, without those that SQLite and GRDB keep for themselves.
    func tables() throws -> Set<String> {
        try queue.read {
            try String.fetchSet(
                $0,
                sql: """
                    SELECT name FROM sqlite_schema WHERE type = 'table'
                    AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'grdb_%'
                    """)
        }
    }

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

    /// How SQLite goes about a query.
    func plan(_ sql: String) throws -> String {
        try queue.read { db in
            try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN " + sql)
                .map { $0["detail"] as String }.joined(separator: "\n")
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

    /// The leaves of a table's or index's tree, in order; walked by the file's own format, since
    /// SQLite here is built without dbstat.
    func leafPages(of name: String) throws -> [Int] {
        let root = try queue.read {
            try Int.fetchOne(
                $0, sql: "SELECT rootpage FROM sqlite_schema WHERE name = ?", arguments: [name])
        }
        _ = try queue.writeWithoutTransaction { try $0.checkpoint(.truncate) }
        let file = try Data(contentsOf: URL(fileURLWithPath: path))
        func number(_ offset: Int, _ count: Int) -> Int {
            file[offset..<offset + count].reduce(0) { $0 << 8 | Int($1) }
        }
        func leaves(_ page: Int) -> [Int] {
            let start = (page - 1) * 4096
            let kind = file[start]
            guard kind == 5 || kind == 2 else { return [page] }
            let children = (0..<number(start + 3, 2)).map { cell in
                number(start + number(start + 12 + 2 * cell, 2), 4)
            }
            return (children + [number(start + 8, 4)]).flatMap(leaves)
        }
        return root.map(leaves) ?? []
    }
}
