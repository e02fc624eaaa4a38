// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import TaskKit

/// A type that uses every kind of field and every way to end.
struct SampleTask: ScheduledTask {
    struct Config: TaskConfig {
        let count: Int
        let share: Double
        let mode: String
        let name: String?
        let isQuick: Bool
        let words: [String]
        let labels: [String: String]
        let pause: Duration

        init(from config: inout ConfigReader) throws(ConfigError) {
            count = try config.integer("count", in: 1...10, "How many")
            share = try config.number("share", default: 0.5, in: 0...1, "How much")
            mode = try config.string(
                "mode", default: "plain", choices: ["plain", "fail", "wait"], "What to do")
            name = try config.optionalString("name", "Whose")
            isQuick = try config.boolean("quick", default: true, "Whether to hurry")
            words = try config.stringList("words", default: [], "What to say")
            labels = try config.stringMap("labels", default: ["a": "b"], "What to tag")
            pause = try config.seconds("pause", default: 1.5, "How long to wait")
        }

        func validate() throws(ConfigError) {
            guard count != 7 else { throw ConfigError(field: "count", reason: "must not be 7") }
        }
    }

    struct Output: TaskResult {
        let count: Int
        let note: String?
        let parts: [Part]
        let extra: JSONValue

        struct Part: Encodable, Sendable {
            let name: String
            let sizes: [String: UInt8]
        }
    }

    static let id = "user.sample"
    static let summary = "Does what a test needs"
    static let capabilities: [TaskCapability] = [.readAnything]

    func run(_ config: Config, _ context: TaskContext) async throws -> Output {
        context.log("one\ntwo")
        context.log(.warning, "three")
        context.progress(0.5, "half")
        switch config.mode {
        case "fail": throw TaskFailure.permanent("told to fail", exitCode: 9)
        case "wait": try context.checkCancellation()
        default: break
        }
        return Output(
            count: config.count, note: config.name,
            parts: config.words.map { Output.Part(name: $0, sizes: ["bytes": 3]) },
            extra: ["attempt": .int(context.attempt)])
    }
}
