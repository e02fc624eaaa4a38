// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoKeys
import AicoStore
import AicoWire
import Foundation
import GRDB
import TaskKit

/// A directory with a store that the scheduler's own code made; removed with its last holder.
final class StoreScratch: Sendable {
    static let start = Instant(seconds: 1_736_935_200)

    let path: String
    var database: String { path + "/store/aico.db" }
    var logs: String { path + "/logs" }

    init() throws {
        path = "/tmp/aico-tasks-\(UInt64.random(in: 0...UInt64.max))"
        for name in ["", "/store", "/logs"] {
            try FileManager.default.createDirectory(
                atPath: path + name, withIntermediateDirectories: false,
                attributes: [.posixPermissions: 0o750])
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The store as the scheduler opens it.
    func store(busyTimeout: Double = 5) throws -> TaskStore {
        try TaskStore(
            path: database, keys: KeyRing(masterKey: [UInt8](repeating: 7, count: 32)),
            busyTimeout: busyTimeout)
    }

    /// Another connection, to look at rows and to do harm.
    func connection() throws -> DatabaseQueue { try DatabaseQueue(path: database) }

    /// Takes the write lock; it is held until `COMMIT` or the connection's end.
    func holdWriteLock() throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let holder = try DatabaseQueue(path: database, configuration: configuration)
        try holder.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
        return holder
    }

    /// The identity of the one task of a name.
    static func key(_ task: String) throws -> TaskKey {
        TaskKey(id: try TaskID(task), uid: "uid-of-\(task)")
    }

    func count(_ table: String) throws -> Int {
        try connection().read { try Int.fetchOne($0, sql: "SELECT count(*) FROM \(table)") ?? -1 }
    }

    @discardableResult
    func write(_ name: String, _ text: String, modified: Int? = nil) throws -> String {
        let file = "\(path)/\(name)"
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        if let modified {
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSince1970: Double(modified))],
                ofItemAtPath: file)
        }
        return file
    }

    func exists(_ name: String) -> Bool {
        var status = stat()
        return lstat("\(path)/\(name)", &status) == 0
    }

    /// Adds a task and ended executions of it, each with lines of a hundred bytes.
    ///
    /// Executions lie `spacing` apart from `first` on; their lines come a microsecond apart.
    func fill(
        _ store: TaskStore, task: String, first: Instant, executions: Int, lines: Int,
        spacing: Duration = .seconds(3600), isNew: Bool = true
    ) throws {
        let key = try Self.key(task)
        if isNew {
            try store.perform([
                .createTask(
                    StoredTask(
                        key: key, type: "user.command", schedule: "@hourly", timezone: "UTC",
                        config: Array("{}".utf8), policies: Array("{}".utf8), origin: "admin",
                        createdAt: first, updatedAt: first, nextRun: nil))
            ])
        }
        for index in 0..<executions {
            let at = first + spacing * index
            let execution = "\(task)-\(at.seconds)"
            let outcomes = try store.perform([
                .claim(
                    Claim(
                        task: key, plannedAt: at, executionID: execution, trigger: .schedule,
                        at: at, nextRun: .keep))
            ])
            guard case .claimed(let attempt, _)? = outcomes.first else { continue }
            var changes: [StoreChange] = (0..<lines).map { line in
                .log(
                    LogEntry(
                        executionID: execution, attempt: attempt, sequence: UInt32(line),
                        stream: .info, at: at + .microseconds(line),
                        line: String(repeating: "x", count: 100)))
            }
            changes.append(
                .endAttempt(
                    AttemptEnd(
                        attempt: attempt, at: at + .seconds(1), outcome: Outcome(.succeeded),
                        next: .ended(ExecutionEnd(outcome: Outcome(.succeeded))))))
            try store.perform(changes)
        }
    }
}
