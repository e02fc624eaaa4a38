// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoStore
import AicoWire
import Foundation
import GRDB
import Glibc
import TaskKit
import Testing

@testable import MaintenanceTasks

@Suite struct LogCleanupTests {
    static func config(
        _ scratch: StoreScratch, _ changes: [String: JSONValue] = [:]
    ) -> JSONValue {
        let own: [String: JSONValue] = [
            "store_path": .string(scratch.database), "logs_path": .string(scratch.logs),
        ]
        return .object(own.merging(changes) { $1 })
    }

    static var now: Instant { Instant(seconds: Int64(time(nil))) }
    static func daysAgo(_ days: Int) -> Instant { now - .seconds(days * 86_400) }

    @Test func linesOlderThanTheRetentionGoAndTheOthersStay() async throws {
        let scratch = try StoreScratch()
        let store = try scratch.store()
        try scratch.fill(
            store, task: "user.a", first: Self.daysAgo(40), executions: 3, lines: 400)
        try scratch.fill(
            store, task: "user.b", first: Self.daysAgo(20), executions: 2, lines: 30)
        let result = try await TaskRecorder().run(LogCleanup.self, config: Self.config(scratch))
        #expect(result["rows"] == 1200)
        #expect(try scratch.count("execution_logs") == 60)
        #expect(try scratch.count("task_executions") == 5)
        #expect(try store.integrityProblems().isEmpty)
        let again = try await TaskRecorder().run(LogCleanup.self, config: Self.config(scratch))
        #expect(again["rows"] == 0)
        #expect(again["bytes"] == 0)
    }

    /// A line whose time is no text goes as the oldest or newest, and ends no attempt.
    @Test func lineWithoutATimeEndsNothing() async throws {
        let scratch = try StoreScratch()
        let store = try scratch.store()
        try scratch.fill(
            store, task: "user.a", first: Self.daysAgo(2), executions: 6, lines: 1000)
        try await scratch.connection().write { db in
            try db.execute(sql: "UPDATE execution_logs SET at = x'ff' WHERE id = 1")
        }
        let config = Self.config(scratch, ["max_size_mb": 1])
        let result = try await TaskRecorder().run(LogCleanup.self, config: config)
        let rows = try #require(result["rows"]?.int)
        #expect(try scratch.count("execution_logs") == 6000 - rows)
    }

    @Test func theOldestLinesGoUntilTheRestFits() async throws {
        let scratch = try StoreScratch()
        let store = try scratch.store()
        // 128 bytes sealed and about 200 more a line: 6000 lines are some 2 MB.
        try scratch.fill(
            store, task: "user.a", first: Self.daysAgo(2), executions: 6, lines: 1000)
        let config = Self.config(scratch, ["max_size_mb": 1])
        var planned = config.object ?? [:]
        planned["dry_run"] = true
        let plan = try await TaskRecorder().run(LogCleanup.self, config: .object(planned))
        #expect(try scratch.count("execution_logs") == 6000)
        let result = try await TaskRecorder().run(LogCleanup.self, config: config)
        let rows = try #require(result["rows"]?.int)
        #expect((1...5999).contains(rows))
        #expect(plan["rows"] == result["rows"])
        #expect(plan["dry_run"] == true)
        #expect(try scratch.count("execution_logs") == 6000 - rows)
        // What is left is the newest.
        let ids = try await scratch.connection().read { db in
            try Int.fetchAll(db, sql: "SELECT id FROM execution_logs ORDER BY id")
        }
        #expect(ids == Array((rows + 1)...6000))
    }

    @Test func historyStaysUnlessItsRetentionIsSet() async throws {
        let scratch = try StoreScratch()
        let store = try scratch.store()
        try scratch.fill(
            store, task: "user.a", first: Self.daysAgo(400), executions: 120, lines: 2)
        _ = try await TaskRecorder().run(LogCleanup.self, config: Self.config(scratch))
        #expect(try scratch.count("task_executions") == 120)
        let result = try await TaskRecorder().run(
            LogCleanup.self, config: Self.config(scratch, ["history_retention_days": 90]))
        #expect(result["executions"] == 119)
        // The task's latest execution is its history, however old.
        #expect(try store.history(task: "user.a", limit: 10).count == 1)
        #expect(try scratch.count("task_attempts") == 1)
        #expect(try scratch.count("occurrences") == 1)
        #expect(try store.integrityProblems().isEmpty)
    }

    /// Whatever stands for their ids: a blob, a text that is no UTF-8, one with a quote.
    @Test(.timeLimit(.minutes(1)), arguments: ["x'ff'", "CAST(x'ff' AS TEXT)", "'it''s'"])
    func executionsWithoutAnIdGoAsTheOthers(id: String) async throws {
        let scratch = try StoreScratch()
        let store = try scratch.store()
        try scratch.fill(
            store, task: "user.a", first: Self.daysAgo(400), executions: 5, lines: 2)
        try await scratch.connection().write { db in
            try db.execute(
                sql: """
                    PRAGMA defer_foreign_keys = ON;
                    UPDATE execution_logs SET execution_id = \(id) WHERE execution_id =
                        (SELECT execution_id FROM task_executions WHERE id = 1);
                    UPDATE task_attempts SET execution_id = \(id) WHERE execution_id =
                        (SELECT execution_id FROM task_executions WHERE id = 1);
                    UPDATE task_executions SET execution_id = \(id) WHERE id = 1;
                    """)
        }
        let result = try await TaskRecorder().run(
            LogCleanup.self,
            config: Self.config(
                scratch, ["history_retention_days": 90, "retention_days": 3650]))
        #expect(result["executions"] == 4 && result["history_rows"] == 20)
        #expect(try scratch.count("task_executions") == 1)
        #expect(try scratch.count("execution_logs") == 2)
    }

    @Test func openDeadLettersAndOpenExecutionsKeepTheirHistory() async throws {
        let scratch = try StoreScratch()
        let store = try scratch.store()
        let first = Self.daysAgo(400)
        try scratch.fill(store, task: "user.a", first: first, executions: 3, lines: 1)
        try store.perform([
            .deadLetter(execution: "user.a-\(first.seconds)", at: first, reason: "failed"),
            .claim(
                Claim(
                    task: try StoreScratch.key("user.a"), plannedAt: first + .seconds(9),
                    executionID: "open", trigger: .manual, at: first + .seconds(9),
                    nextRun: .keep)),
        ])
        let result = try await TaskRecorder().run(
            LogCleanup.self, config: Self.config(scratch, ["history_retention_days": 1]))
        #expect(result["executions"] == 1)
        #expect(try store.execution("user.a-\(first.seconds)") != nil)
        #expect(try store.execution("open") != nil)
    }

    @Test func theSchedulerWritesWhileLinesAreRemoved() async throws {
        let scratch = try StoreScratch()
        let store = try scratch.store(busyTimeout: 1)
        try scratch.fill(
            store, task: "user.a", first: Self.daysAgo(40), executions: 10, lines: 2000)
        try scratch.fill(store, task: "user.b", first: Self.daysAgo(1), executions: 1, lines: 0)
        let config = Self.config(scratch)
        async let cleaning = TaskRecorder().run(LogCleanup.self, config: config)
        // With its one second of patience every claim gets through.
        try scratch.fill(
            store, task: "user.b", first: Self.daysAgo(0), executions: 100, lines: 1,
            spacing: .seconds(1), isNew: false)
        #expect(try await cleaning["rows"] == 20_000)
        #expect(try scratch.count("execution_logs") == 100)
    }

    @Test func aMissingStoreFailsForNowButFilesAreCleanedFirst() async throws {
        let scratch = try StoreScratch()
        try scratch.write("logs/a.log.1", "old", modified: 1000)
        await #expect {
            try await TaskRecorder().run(LogCleanup.self, config: Self.config(scratch))
        } throws: { error in
            (error as? TaskFailure)?.isPermanent == false
        }
        #expect(!scratch.exists("logs/a.log.1"))
        #expect(!scratch.exists("store/aico.db"))
    }

    @Test func cancellationStopsBetweenBatches() async throws {
        let scratch = try StoreScratch()
        let store = try scratch.store()
        try scratch.fill(
            store, task: "user.a", first: Self.daysAgo(40), executions: 1, lines: 1000)
        let recorder = TaskRecorder()
        recorder.cancel()
        await #expect(throws: TaskCancelled.self) {
            try await recorder.run(LogCleanup.self, config: Self.config(scratch))
        }
        #expect(try scratch.count("execution_logs") == 1000)
    }

    @Test(
        arguments: [
            ["retention_days": 0], ["max_size_mb": 0], ["retention_days": "30"],
            ["retention": 30], ["dry_run": 1],
        ] as [JSONValue])
    func aConfigThatCannotBeMeantIsRefused(config: JSONValue) {
        #expect(throws: ConfigError.self) { try LogCleanupConfig.read(config) }
    }
}
