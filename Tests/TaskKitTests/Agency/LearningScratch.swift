// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Foundation
import GRDB
import TaskKit
import Testing

@testable import AgencyTasks

/// A memory and a learning directory; removed with their last holder.
final class LearningScratch: Sendable {
    let path: String
    var interactions: String { path + "/interactions" }
    var learning: String { path + "/learning" }
    var database: String { learning + "/" + LearningLock.fileName }

    init() throws {
        path = "/tmp/aico-learning-\(UInt64.random(in: 0...UInt64.max))"
        for name in ["", "/interactions", "/learning"] {
            try FileManager.default.createDirectory(
                atPath: path + name, withIntermediateDirectories: false)
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Puts a new file in the place of what is there.
    func write(_ name: String, _ text: String) throws {
        try Data(text.utf8).write(
            to: URL(fileURLWithPath: "\(interactions)/\(name)"), options: .atomic)
    }

    /// Writes after what is there, into the same file.
    func append(_ name: String, _ text: String) throws {
        let handle = try #require(FileHandle(forWritingAtPath: "\(interactions)/\(name)"))
        defer { try? handle.close() }
        try handle.seekToEnd()
        try handle.write(contentsOf: Data(text.utf8))
    }

    /// Replaces the content of the same file.
    func overwrite(_ name: String, _ text: String) throws {
        #expect(truncate("\(interactions)/\(name)", 0) == 0)
        try append(name, text)
    }

    func size(_ name: String) throws -> Int {
        try Data(contentsOf: URL(fileURLWithPath: "\(interactions)/\(name)")).count
    }

    func config(_ changes: [String: JSONValue] = [:]) -> JSONValue {
        let own: [String: JSONValue] = [
            "interactions_path": .string(interactions), "learning_path": .string(learning),
        ]
        return .object(own.merging(changes) { $1 })
    }

    /// Runs the type once.
    @discardableResult
    func learn(
        _ changes: [String: JSONValue] = [:], recorder: TaskRecorder = TaskRecorder(),
        machine: Machine = FakeMachine().machine, limit: BatchLimit = BatchLimit(),
        timeout: Duration = .seconds(900)
    ) throws -> LearningReport {
        try BackgroundLearning.run(
            BackgroundLearningConfig.read(config(changes)), recorder.context(timeout: timeout),
            machine, limit)
    }

    func counts() throws -> Counts { try Counts(database) }
}

/// Everything that was learned, to compare as a whole.
struct Counts: Equatable {
    var terms: [String: Int] = [:]
    /// By zone, weekday and hour.
    var activity: [String: Int] = [:]
    var totals: [String: Int] = [:]

    init(_ database: String) throws {
        (terms, activity, totals) = try DatabaseQueue(path: database).read { db in
            func pairs(_ sql: String) throws -> [String: Int] {
                let rows = try Row.fetchAll(db, sql: sql)
                return Dictionary(uniqueKeysWithValues: rows.map { ($0[0], $0[1]) })
            }
            return (
                try pairs("SELECT term, count FROM terms"),
                try pairs(
                    "SELECT timezone || ' ' || weekday || ' ' || hour, count FROM activity"),
                try pairs("SELECT name, value FROM totals")
            )
        }
    }
}

/// A clock that moves by a step at every look, and a load that a test chooses.
final class FakeMachine {
    var step: Duration
    var load: Double?
    var looks = 0
    /// Runs at every look at the clock.
    var onLook: (Int) -> Void = { _ in }
    private let start = ContinuousClock.now

    init(step: Duration = .zero, load: Double? = 0) {
        self.step = step
        self.load = load
    }

    var machine: Machine {
        Machine(
            now: { [self] in
                looks += 1
                onLook(looks)
                return start + step * looks
            }, load: { [self] in load }, processors: 2)
    }
}
