// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoKeys
import Foundation
import GRDB
import Testing

@testable import AicoStore

/// What others read in the file: names, columns, modes and settings.
@Suite struct SchemaTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    @Test func tablesHaveTheRequiredColumnsFirst() throws {
        let store = try scratch.store()
        #expect(
            try store.columns(of: "scheduled_tasks").prefix(9) == [
                "task_id", "task_class", "schedule", "config", "enabled", "created_at",
                "updated_at", "last_run", "next_run",
            ])
        #expect(
            try store.columns(of: "task_executions").prefix(10) == [
                "id", "task_id", "execution_id", "started_at", "completed_at", "success",
                "duration_seconds", "result", "error_message", "retry_count",
            ])
    }

    @Test func theColumnsThatAreReadAreThoseOfTheTables() throws {
        let store = try scratch.store()
        let read: [String: [String]] = [
            "scheduled_tasks": names(TaskColumn.self),
            "task_executions": names(ExecutionColumn.self),
            "task_attempts": names(AttemptColumn.self),
            "occurrences": names(OccurrenceColumn.self),
            "execution_logs": names(LogColumn.self),
            "dead_letters": names(DeadLetterColumn.self),
            "audit_log": names(AuditColumn.self),
            "audit_anchor": names(AuditAnchorColumn.self),
        ]
        for (table, columns) in read {
            #expect(try store.columns(of: table) == columns, "\(table)")
        }
        let readByOneValue: Set = ["boot", "key_check", "settlings"]
        #expect(try store.tables() == readByOneValue.union(read.keys))
    }

    @Test func whatAttemptsAreJoinedWithIsOfTheirExecutionAlone() throws {
        let store = try scratch.store()
        let joined = names(AttemptExecutionColumn.self)
        #expect(
            try store.columns(of: "task_executions").filter(joined.contains).count == joined.count)
        #expect(try store.columns(of: "task_attempts").filter(joined.contains).isEmpty)
    }

    @Test func indexesHaveTheRequiredNamesAndColumns() throws {
        let store = try scratch.store()
        #expect(
            try store.columns(ofIndex: "idx_scheduled_tasks_next_run") == ["next_run", "enabled"])
        #expect(
            try store.columns(ofIndex: "idx_task_executions_task_id") == ["task_id", "started_at"])
        #expect(try store.columns(ofIndex: "idx_task_executions_started_at") == ["started_at"])
    }

    @Test func settingsAreDurableAndVacuumable() throws {
        let store = try scratch.store()
        #expect(try store.setting("journal_mode") == "wal")
        #expect(try store.setting("synchronous") == "2")
        #expect(try store.setting("auto_vacuum") == "2")
        #expect(try store.setting("foreign_keys") == "1")
    }

    @Test func theGroupMayWriteTheFileAndNobodyElseMayReadIt() throws {
        let old = umask(0o007)
        let store = try scratch.store()
        umask(old)
        try store.perform([.createTask(try Fixture.task())])
        for name in ["aico.db", "aico.db-wal", "aico.db-shm"] {
            #expect(try scratch.mode(name) == 0o660, "\(name)")
        }
    }

    @Test func sealedTextIsNowhereInTheFiles() throws {
        let store = try scratch.store()
        let outcomes = try store.perform([
            .createTask(try Fixture.task()), try Fixture.claim(),
        ])
        guard case .claimed(let attempt, _) = outcomes[1] else {
            Issue.record("not claimed: \(outcomes)")
            return
        }
        try store.perform([
            Fixture.line(attempt, 1, "the-secret-line"),
            Fixture.success(attempt, result: #""the-secret-result""#),
        ])
        try store.close()
        let bytes = try Data(contentsOf: URL(fileURLWithPath: scratch.database))
        #expect(bytes.range(of: Data("user.backup".utf8)) != nil)
        for secret in ["/bin/true", "the-secret-line", "the-secret-result"] {
            #expect(bytes.range(of: Data(secret.utf8)) == nil, "\(secret)")
        }
    }

    @Test func aDatabaseOfANewerVersionIsLeftAlone() throws {
        let store = try scratch.store()
        try store.insertMigration("9 from the future")
        try store.close()
        #expect(
            throws: StoreError(
                operation: "migrate", subject: scratch.database,
                cause: .newerSchema("9 from the future"))
        ) { try scratch.store() }
    }

    @Test func aFileThatIsNoDatabaseIsRefused() throws {
        try scratch.write("aico.db", String(repeating: "no database ", count: 100), mode: 0o660)
        #expect(
            throws: StoreError(operation: "open", subject: scratch.database, cause: .damaged)
        ) { try scratch.store() }
    }

    private func names(_ table: (some CaseIterable & ColumnExpression).Type) -> [String] {
        table.allCases.map(\.name)
    }
}
