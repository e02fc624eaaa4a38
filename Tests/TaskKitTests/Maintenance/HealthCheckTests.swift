// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoStore
import AicoCore
import AicoWire
import Foundation
import GRDB
import Glibc
import TaskKit
import Testing

@testable import MaintenanceTasks

@Suite struct HealthCheckTests {
    /// Looks at the scratch directory only, not at this machine.
    static func config(
        _ scratch: StoreScratch, _ changes: [String: JSONValue] = [:]
    ) -> JSONValue {
        let own: [String: JSONValue] = [
            "store_path": .string(scratch.database), "logs_path": .string(scratch.logs),
            "state_path": .string(scratch.path + "/store/health_check.state"),
            "check_message_bus": false, "check_memory": false, "check_disk_space": false,
            "store_latency_degraded_ms": 30_000, "store_latency_critical_ms": 30_000,
        ]
        return .object(own.merging(changes) { $1 })
    }

    static func check(_ name: String, _ result: JSONValue) -> JSONValue? {
        result["checks"]?.array?.first { $0["name"]?.string == name }
    }

    @Test func aSoundStoreIsHealthyAndUnchanged() async throws {
        let scratch = try StoreScratch()
        let store = try scratch.store()
        try scratch.fill(
            store, task: "user.a", first: StoreScratch.start, executions: 3, lines: 10)
        let result = try await TaskRecorder().run(
            HealthCheckTask.self, config: Self.config(scratch))
        #expect(result["status"] == "healthy")
        for name in ["store.integrity", "store.read_latency", "store.write_latency"] {
            let check = Self.check(name, result)
            #expect(check?["status"] == "healthy")
            #expect((check?["value"]?.double ?? -1) >= 0)
        }
        #expect(try store.integrityProblems().isEmpty)
        #expect(try scratch.count("execution_logs") == 30)
    }

    @Test func theFullCheckRunsOnceAndThenWhenItIsDueAgain() async throws {
        let scratch = try StoreScratch()
        _ = try scratch.store()
        func message() async throws -> String? {
            let result = try await TaskRecorder().run(
                HealthCheckTask.self, config: Self.config(scratch))
            return Self.check("store.integrity", result)?["message"]?.string
        }
        let full = "all pages, rows and indexes are sound"
        #expect(try await message() == full)
        #expect(try await message() == "all pages and rows are sound")
        try scratch.write("store/health_check.state", "2001-01-01T00:00:00Z\n")
        #expect(try await message() == full)
        try scratch.write("store/health_check.state", "2999-01-01T00:00:00Z\n")
        #expect(try await message() == full)
        try scratch.write("store/health_check.state", String(repeating: "x", count: 4096))
        #expect(try await message() == full)
    }

    @Test func aDamagedDatabaseIsCritical() async throws {
        let scratch = try StoreScratch()
        let store = try scratch.store()
        try scratch.fill(
            store, task: "user.a", first: StoreScratch.start, executions: 20, lines: 50)
        try store.close()
        // Overwrites pages after the schema with noise, through a descriptor of its own.
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: scratch.database))
        for page in 12..<40 {
            try file.seek(toOffset: UInt64(page * 4096 + 100))
            try file.write(contentsOf: Data(repeating: 0xA5, count: 2000))
        }
        try file.close()
        let recorder = TaskRecorder()
        let result = try await recorder.run(HealthCheckTask.self, config: Self.config(scratch))
        #expect(result["status"] == "critical")
        #expect(Self.check("store.integrity", result)?["status"] == "critical")
        #expect(recorder.lines.contains { $0.text.hasPrefix("store.integrity is critical") })
        #expect(!scratch.exists("store/health_check.state"))
    }

    @Test(arguments: ["not a database at all, but long enough to be looked at", ""])
    func aFileThatIsNoDatabaseIsCritical(content: String) async throws {
        let scratch = try StoreScratch()
        try scratch.write("store/aico.db", String(repeating: content, count: 40))
        let result = try await TaskRecorder().run(
            HealthCheckTask.self, config: Self.config(scratch))
        // An empty file is an empty database to SQLite: sound, but it knows no task.
        #expect(Self.check("store.integrity", result)?["status"] == "critical")
    }

    @Test func aMissingDatabaseIsCriticalAndNotMade() async throws {
        let scratch = try StoreScratch()
        let result = try await TaskRecorder().run(
            HealthCheckTask.self, config: Self.config(scratch))
        #expect(result["status"] == "critical")
        #expect(!scratch.exists("store/aico.db"))
    }

    @Test func aLinkInPlaceOfTheDatabaseIsNotFollowed() async throws {
        let scratch = try StoreScratch()
        _ = try scratch.store()
        #expect(rename(scratch.database, scratch.path + "/elsewhere.db") == 0)
        #expect(symlink(scratch.path + "/elsewhere.db", scratch.database) == 0)
        let result = try await TaskRecorder().run(
            HealthCheckTask.self, config: Self.config(scratch))
        let message = Self.check("store.integrity", result)?["message"]?.string
        #expect(message?.contains("not a regular file") == true)
    }

    @Test func aHeldWriteLockIsCriticalForWritingOnly() async throws {
        let scratch = try StoreScratch()
        _ = try scratch.store()
        let holder = try scratch.holdWriteLock()
        let result = try await TaskRecorder().run(
            HealthCheckTask.self,
            config: Self.config(
                scratch, ["store_latency_degraded_ms": 20, "store_latency_critical_ms": 40]))
        #expect(Self.check("store.write_latency", result)?["status"] == "critical")
        #expect(Self.check("store.integrity", result)?["status"] == "healthy")
        try await holder.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
    }

    @Test func aCheckThatTakesTooLongIsDegradedWithItsReason() async throws {
        let scratch = try StoreScratch()
        let store = try scratch.store()
        try scratch.fill(
            store, task: "user.a", first: StoreScratch.start, executions: 40, lines: 200)
        let result = try await TaskRecorder().run(
            HealthCheckTask.self, config: Self.config(scratch, ["integrity_seconds": 0.001]))
        let check = Self.check("store.integrity", result)
        #expect(check?["status"] == "degraded")
        #expect(check?["message"]?.string?.contains("takes longer") == true)
    }

    @Test func aCancelledCheckEndsAsCancelled() async throws {
        let scratch = try StoreScratch()
        _ = try scratch.store()
        let recorder = TaskRecorder()
        recorder.cancel()
        await #expect(throws: TaskCancelled.self) {
            try await recorder.run(HealthCheckTask.self, config: Self.config(scratch))
        }
    }

    @Test func anUnreachableBusIsCriticalAndAnUnreadableKeyIsDegraded() async throws {
        let scratch = try StoreScratch()
        _ = try scratch.store()
        let changes: [String: JSONValue] = [
            "check_message_bus": true, "check_database": false, "bus_timeout": 0.2,
            "bus_endpoint": .string("ipc://\(scratch.path)/bus.sock"),
            "bus_key": .string(scratch.path + "/client.key"),
        ]
        let without = try await TaskRecorder().run(
            HealthCheckTask.self, config: Self.config(scratch, changes))
        #expect(Self.check("bus.round_trip", without)?["status"] == "degraded")
        #expect(Self.check("workers", without)?["status"] == "degraded")
        try KeyFixture.write(scratch.path + "/client.key")
        let with = try await TaskRecorder().run(
            HealthCheckTask.self, config: Self.config(scratch, changes))
        #expect(Self.check("bus.round_trip", with)?["status"] == "critical")
        #expect(with["status"] == "critical")
    }

    @Test func everyCheckCanBeLeftOut() async throws {
        let scratch = try StoreScratch()
        let result = try await TaskRecorder().run(
            HealthCheckTask.self, config: Self.config(scratch, ["check_database": false]))
        #expect(result == ["status": "healthy", "checks": []])
    }

    @Test(
        arguments: [
            ["store_latency_degraded_ms": 10, "store_latency_critical_ms": 5],
            ["bus_degraded_ms": 10, "bus_critical_ms": 5],
            ["min_free_percent": 1], ["min_available_memory_percent": 1],
            ["min_free_percent": 101], ["integrity_seconds": "1"], ["check_databse": true],
        ] as [JSONValue])
    func aConfigThatCannotBeMeantIsRefused(config: JSONValue) {
        #expect(throws: ConfigError.self) { try HealthCheckConfig.read(config) }
    }
}
