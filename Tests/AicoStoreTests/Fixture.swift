// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoKeys
import AicoStore
import Foundation

/// A directory of the test's own, removed with it.
final class Scratch: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "aico-store-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o750])
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var database: String { path + "/aico.db" }

    func store() throws -> TaskStore { try TaskStore(path: database, keys: Fixture.keys) }

    func write(_ name: String, _ text: String, mode: Int = 0o440) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
        try setMode(name, mode)
    }

    func setMode(_ name: String, _ mode: Int) throws {
        try FileManager.default.setAttributes(
            [.posixPermissions: mode], ofItemAtPath: "\(path)/\(name)")
    }

    func mode(_ name: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: "\(path)/\(name)")
        return (attributes[.posixPermissions] as? NSNumber)?.intValue ?? -1
    }
}

enum Fixture {
    static let keys = KeyRing(masterKey: [UInt8](repeating: 7, count: 32))
    static let start = Instant(seconds: 1_736_935_200)

    static func task(_ id: String = "user.backup") throws -> StoredTask {
        StoredTask(
            id: try TaskID(id), type: "user.command", schedule: "*/5 * * * *",
            timezone: "Europe/Berlin", config: Array(#"{"argv":["/bin/true"]}"#.utf8),
            policies: Array(#"{"overlap":"skip"}"#.utf8), origin: "admin", createdAt: start,
            updatedAt: start, nextRun: start + .seconds(300))
    }

    static func claim(
        _ id: String = "user.backup", at seconds: Int64 = 0, execution: String = "e1",
        nextRun: Claim.NextRun = .keep
    ) throws -> StoreChange {
        let planned = start + .seconds(seconds)
        return .claim(
            Claim(
                task: try TaskID(id), plannedAt: planned, executionID: execution,
                trigger: .schedule, at: planned + .milliseconds(2), nextRun: nextRun))
    }

    static func success(_ attempt: UInt64, result: String = #"{"n":1}"#) -> StoreChange {
        .endAttempt(
            AttemptEnd(
                attempt: attempt, at: start + .seconds(2), outcome: "succeeded",
                ending: Array(#"{"exit":0}"#.utf8),
                next: .ended(
                    ExecutionEnd(
                        outcome: "succeeded", success: true, result: Array(result.utf8)))))
    }
}
