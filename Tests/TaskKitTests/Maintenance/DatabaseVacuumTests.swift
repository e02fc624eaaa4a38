// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoStore
import AicoWire
import Foundation
import GRDB
import TaskKit
import Testing

@testable import MaintenanceTasks

@Suite struct DatabaseVacuumTests {
    static func config(
        _ scratch: StoreScratch, _ changes: [String: JSONValue] = [:]
    ) -> JSONValue {
        let own: [String: JSONValue] = ["store_path": .string(scratch.database)]
        return .object(own.merging(changes) { $1 })
    }

    /// A store of which most pages are free.
    private static func emptied() throws -> (StoreScratch, TaskStore) {
        let scratch = try StoreScratch()
        let store = try scratch.store()
        try scratch.fill(
            store, task: "user.a", first: StoreScratch.start, executions: 10, lines: 1500)
        try scratch.connection().write { try $0.execute(sql: "DELETE FROM execution_logs") }
        return (scratch, store)
    }

    private static func pages(_ scratch: StoreScratch) throws -> StorePages {
        try scratch.connection().read { try StorePages($0) }
    }

    @Test func theStoreIsMadeToShrinkInSteps() throws {
        let scratch = try StoreScratch()
        _ = try scratch.store()
        #expect(try Self.pages(scratch).canShrink)
    }

    @Test func fullGivesEveryFreePageBack() async throws {
        let (scratch, store) = try Self.emptied()
        let before = try Self.pages(scratch)
        #expect(before.free > 500)
        let result = try await TaskRecorder().run(
            DatabaseVacuum.self, config: Self.config(scratch, ["mode": "full"]))
        let after = try Self.pages(scratch)
        // ANALYZE may need a page of its own.
        #expect(after.free <= 1)
        #expect(after.count <= before.count - before.free + 2)
        #expect((result["bytes_reclaimed"]?.int ?? 0) >= before.free * before.size)
        #expect(result["finished"] == true)
        #expect(result["log_emptied"] == true)
        #expect((result["analyzed"]?.int ?? 0) >= 7)
        #expect(try store.integrityProblems().isEmpty)
        #expect(try store.history(task: nil, limit: 100).count == 10)
    }

    @Test func incrementalLeavesRoomForRowsToCome() async throws {
        let (scratch, _) = try Self.emptied()
        let result = try await TaskRecorder().run(
            DatabaseVacuum.self,
            config: Self.config(scratch, ["keep_free_mb": 1, "analyze": false]))
        let after = try Self.pages(scratch)
        #expect(after.free == (1 << 20) / after.size)
        #expect(result["free_pages_after"] == .int(after.free))
        #expect(result["analyzed"] == 0)
    }

    @Test func aDatabaseWithoutFreePagesStaysAsItIs() async throws {
        let scratch = try StoreScratch()
        let store = try scratch.store()
        let before = try Self.pages(scratch).count
        let result = try await TaskRecorder().run(
            DatabaseVacuum.self, config: Self.config(scratch, ["analyze": false]))
        #expect(try Self.pages(scratch).count == before)
        #expect(result["finished"] == true)
        #expect(try store.integrityProblems().isEmpty)
    }

    @Test func theSchedulerWritesMeanwhile() async throws {
        let (scratch, _) = try Self.emptied()
        let store = try scratch.store(busyTimeout: 1)
        let config = Self.config(scratch, ["mode": "full", "pages_per_step": 16])
        async let vacuum = TaskRecorder().run(DatabaseVacuum.self, config: config)
        try scratch.fill(
            store, task: "user.a", first: StoreScratch.start + .seconds(86_400 * 9),
            executions: 100, lines: 1, spacing: .seconds(1), isNew: false)
        #expect(try await vacuum["finished"] == true)
        #expect(try store.history(task: nil, limit: 1000).count == 110)
        #expect(try store.integrityProblems().isEmpty)
    }

    @Test func aReaderKeepsTheLogFromBeingEmptiedAndNothingElse() async throws {
        let (scratch, _) = try Self.emptied()
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let reader = try DatabaseQueue(path: scratch.database, configuration: configuration)
        try await reader.writeWithoutTransaction { db in
            try db.execute(sql: "BEGIN")
            _ = try Int.fetchOne(db, sql: "SELECT count(*) FROM task_executions")
        }
        let result = try await TaskRecorder().run(
            DatabaseVacuum.self, config: Self.config(scratch, ["mode": "full"]))
        #expect(result["log_emptied"] == false)
        #expect(result["finished"] == true)
        try await reader.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
    }

    @Test func cancellationStopsBetweenStepsAndKeepsWhatWasDone() async throws {
        let (scratch, store) = try Self.emptied()
        let recorder = TaskRecorder()
        recorder.cancel()
        await #expect(throws: TaskCancelled.self) {
            try await recorder.run(DatabaseVacuum.self, config: Self.config(scratch))
        }
        #expect(try store.integrityProblems().isEmpty)
    }

    @Test func aDatabaseOfAnotherKindIsLeftAsItIsWithAWarning() async throws {
        let scratch = try StoreScratch()
        try await scratch.connection().write { db in
            try db.execute(sql: "CREATE TABLE t (a); INSERT INTO t VALUES (zeroblob(1000000))")
            try db.execute(sql: "DELETE FROM t")
        }
        let recorder = TaskRecorder()
        let result = try await recorder.run(DatabaseVacuum.self, config: Self.config(scratch))
        #expect(result["finished"] == false)
        #expect(recorder.lines.contains { $0.stream == .warning })
    }

    @Test func aDamagedFileIsAPermanentFailure() async throws {
        let scratch = try StoreScratch()
        try scratch.write("store/aico.db", String(repeating: "no database ", count: 100))
        await #expect {
            try await TaskRecorder().run(DatabaseVacuum.self, config: Self.config(scratch))
        } throws: { error in
            (error as? TaskFailure)?.isPermanent == true
        }
    }

    @Test(
        arguments: [["mode": "brutal"], ["pages_per_step": 0], ["max_duration": 0]] as [JSONValue])
    func aConfigThatCannotBeMeantIsRefused(config: JSONValue) {
        #expect(throws: ConfigError.self) { try DatabaseVacuumConfig.read(config) }
    }
}
