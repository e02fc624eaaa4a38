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

    /// The first task of a name, or a later one of the same.
    static func key(_ id: String = "user.backup", uid: String? = nil) throws -> TaskKey {
        TaskKey(id: try TaskID(id), uid: uid ?? "uid-of-\(id)")
    }

    static func task(_ id: String = "user.backup") throws -> StoredTask {
        StoredTask(
            key: try key(id), type: "user.command", schedule: "*/5 * * * *",
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
                task: try key(id), plannedAt: planned, executionID: execution,
                trigger: .schedule, at: planned + .milliseconds(2), nextRun: nextRun))
    }

    static func success(_ attempt: AttemptKey, result: String = #"{"n":1}"#) -> StoreChange {
        .endAttempt(
            AttemptEnd(
                attempt: attempt, at: start + .seconds(2), outcome: Outcome(.succeeded),
                exit: AttemptExit(
                    reply: .succeeded(result: Array(result.utf8)), exit: .exited(code: 0),
                    cause: nil, usage: .none),
                next: .ended(
                    ExecutionEnd(outcome: Outcome(.succeeded), result: Array(result.utf8)))))
    }

    static func line(
        _ attempt: AttemptKey, _ sequence: UInt32, _ text: String, execution: String = "e1"
    ) -> StoreChange {
        .log(
            LogEntry(
                executionID: execution, attempt: attempt, sequence: sequence,
                stream: .standardOutput, at: start, line: text))
    }
}
