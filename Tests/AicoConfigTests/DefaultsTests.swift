// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Foundation
import Testing

@testable import AicoConfig

@Suite struct DefaultsTests {
    private static let repository = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    @Test func embeddedDefaultsAreTheFileByteForByte() throws {
        let file = Self.repository.appending(path: "Sources/AicoConfig/Resources/core.yaml")
        #expect(try Data(contentsOf: file) == Data(DefaultConfiguration.bytes))
    }

    @Test func defaultsAreThoseOfTheRequirements() throws {
        let settings = try Configuration.load(root: "/nowhere").scheduler
        #expect(settings.isEnabled && settings.autoDiscover)
        #expect(settings.maximumConcurrency == 10)
        #expect(
            settings.thresholds
                == Admission.Thresholds(
                    maximumCPU: 80, maximumMemory: 80, idleCPU: 20, idleMemory: 70))
        #expect(settings.retryInterval == .seconds(1))
        #expect(settings.batchSize == 100)
        #expect(settings.cacheSize == 10_000)
        #expect(
            settings.retry
                == RetryPolicy(
                    count: 3, delay: .seconds(60), factor: 2, maximumDelay: .seconds(3600)))
        #expect(settings.resourceCheckInterval == .seconds(30))
        #expect(
            settings.workers.map(\.name)
                == TaskClass.allCases.map { "aico-worker-\($0.name)" })
    }

    @Test func builtInTasksHaveTheIdsOfTheRequirements() throws {
        let tasks = try Configuration.load(root: "/nowhere").builtInTasks
        let described = tasks.map { "\($0.id) \($0.schedule) \($0.timeZone) \($0.isEnabled)" }
        #expect(
            described == [
                "agency.background_learning */30 * * * * UTC true",
                "maintenance.database_vacuum 30 4 * * 0 UTC true",
                "maintenance.health_check */5 * * * * UTC true",
                "maintenance.log_cleanup 0 3 * * * UTC true",
                "security.integrity_check 15 2 * * * UTC true",
                "security.key_rotation 0 1 1 * * UTC true",
            ])
    }

    @Test func builtInTasksHaveTheSettingsOfTheRequirements() throws {
        let tasks = try Configuration.load(root: "/nowhere").builtInTasks
        func config(_ id: String) -> [String: JSONValue]? {
            tasks.first { $0.id.text == id }?.config
        }
        #expect(
            config("maintenance.log_cleanup")
                == ["retention_days": 30, "max_size_mb": 500, "history_retention_days": 90])
        let health = try #require(config("maintenance.health_check"))
        for key in ["check_database", "check_message_bus", "check_disk_space"] {
            #expect(health[key] == true)
        }
        #expect(
            config("security.key_rotation")
                == ["rotate_session_keys": true, "rotate_database_keys": false])
        #expect(config("agency.background_learning") == ["max_duration": 600])
        let idle = tasks.filter(\.policies.idleOnly).map(\.id.text)
        #expect(idle == ["agency.background_learning"])
    }

    @Test func rootWithoutOverrideUsesNumericUsers() throws {
        let root = try TemporaryRoot()
        let configuration = try Configuration.load(root: root.path)
        let users = try configuration.resolvedIdentities()
        #expect(users.scheduler.userID == 61000)
        #expect(TaskClass.allCases.map { users[$0].userID } == [61001, 61002, 61003, 61004])
        #expect(users.compiler.userID == 61005)
        #expect(configuration.layout.busSocket == root.path + "/run/aico/bus/bus.sock")
        #expect(configuration.bus.requests == nil)
    }

    @Test func installedSystemLooksItsUsersUpByName() throws {
        #expect(try Configuration.check([], file: "core.yaml", root: "").identities == nil)
        let named = try check("identities: {user: 500}", root: "")
        #expect(named.identities?[.user].userID == 500)
    }

    @Test func usersAreEncodedAsPairsInLittleEndian() throws {
        let bytes = try check("identities: {scheduler: 258}").resolvedIdentities().encoded
        #expect(bytes.count == 48)
        #expect(Array(bytes.prefix(12)) == [2, 1, 0, 0, 2, 1, 0, 0, 0x49, 0xEE, 0, 0])
    }

    @Test(arguments: ["", "/"]) func rootMayBeSpelledEitherWay(root: String) {
        #expect(InstanceLayout(root: root).database == "/var/lib/aico/store/aico.db")
    }
}
