// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import BusClient
import GRDB
import Glibc
import Testing

/// A foreign reader of a running system's database that does not end.
@Suite(.serialized, .enabled(if: Built.canStart, Built.reason))
struct LogTests {
    @Test func longReaderIsNamedByHealthUntilItEnds() throws {
        let instance = try Instance()
        let client = try instance.client()
        let events = try instance.client()
        try events.subscribe(prefix: "scheduler.event.health")
        #expect(try check(client)["status"]?.string == "healthy")
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        configuration.busyMode = .timeout(10)
        let path = "\(instance.root)/var/lib/aico/store/aico.db"
        let writer = try DatabaseQueue(path: path, configuration: configuration)
        try writer.write { try $0.execute(sql: "CREATE TABLE foreigner (bytes BLOB)") }
        let reader = try DatabaseQueue(path: path, configuration: configuration)
        try reader.writeWithoutTransaction { db in
            try db.execute(sql: "BEGIN")
            _ = try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM foreigner")
        }
        for _ in 0..<5 {
            try writer.write {
                try $0.execute(sql: "INSERT INTO foreigner VALUES (zeroblob(16777216))")
            }
        }
        // A log that has just become large says nothing yet.
        #expect(try check(client)["status"]?.string == "healthy")
        try wait(for: "degraded", events)
        let degraded = try check(client)
        let message = degraded["message"]?.string ?? ""
        #expect(degraded["status"]?.string == "degraded", "\(degraded.text())")
        #expect(message.contains("more than 64 MiB for "), "\(message)")
        #expect(message.contains("process \(getpid()) ("), "\(message)")
        try reader.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
        let deadline = ContinuousClock.now + Built.patience(seconds: 30)
        while try check(client)["status"]?.string != "healthy", ContinuousClock.now < deadline {
            // It is emptied by the changes that follow.
            _ = try client.request(
                topic: "scheduler.task.disable", body: ["task": "maintenance.database_vacuum"])
        }
        #expect(try check(client)["status"]?.string == "healthy")
        #expect(instance.stop() == 0)
    }

    private func check(_ client: BusClient) throws -> JSONValue {
        let health = try client.request(topic: "scheduler.health", body: [:])
        let found = health["checks"]?.array?.first { $0["name"]?.string == "store.wal" }
        return try #require(found, "\(health.text())")
    }

    private func wait(for status: String, _ events: BusClient) throws {
        let deadline = ContinuousClock.now + Built.patience(seconds: 60)
        while ContinuousClock.now < deadline {
            guard let event = try events.nextEvent(timeout: deadline - ContinuousClock.now) else {
                break
            }
            if event.data["status"]?.string == status { return }
        }
        Issue.record("health was not told as \(status)")
    }
}
