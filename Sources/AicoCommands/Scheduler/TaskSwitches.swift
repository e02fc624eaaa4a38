// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import ArgumentParser

/// Runs a request for each of several tasks; one that fails does not stop the others.
struct TaskBatch: ParsableArguments {
    @Argument(help: "The ids of the tasks.")
    var ids: [String]

    @OptionGroup var connection: ConnectionOptions

    /// Sends the requests and says what was done; the exit code is the first failure's.
    /// `remark` adds what a reply says beside that.
    func run(
        _ topic: BusTopic, done: String,
        remark: (String, JSONValue) -> PlainText? = { _, _ in nil }
    ) throws {
        let console = Console.current
        let bus = try connection.connect()
        var first: Failure?
        for id in ids {
            do throws(Failure) {
                let reply = try bus.ask(topic, ["task": .string(id)])
                console.say("\(done) \(id)")
                if let words = remark(id, reply) { console.say(words) }
            } catch {
                guard ids.count > 1, error.status != .noDaemon else { throw error }
                console.talk(error.text)
                first = first ?? error
            }
        }
        if let first { throw Failure(first.status, "") }
    }
}

/// `aico scheduler enable`.
struct TaskEnable: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enable",
        abstract: "Let the schedule run tasks again.",
        discussion: """
            Example:
              aico scheduler enable user.photos user.mail
            """)

    @OptionGroup var batch: TaskBatch

    func run() throws { try batch.run(.taskEnable, done: "enabled") }
}

/// `aico scheduler disable`.
struct TaskDisable: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "disable",
        abstract: "Keep the schedule from running tasks; \"run\" still does.",
        discussion: """
            Example:
              aico scheduler disable user.photos
            """)

    @OptionGroup var batch: TaskBatch

    func run() throws {
        try batch.run(.taskDisable, done: "disabled") { id, reply in
            guard let count = reply["retrying"]?.int, count > 0 else { return nil }
            let what: PlainText =
                count == 1
                ? "1 execution that began before goes on with its retries; end it"
                : "\(count) executions that began before go on with their retries; end them"
            return what + " with \"aico scheduler cancel \(id)\""
        }
    }
}

/// `aico scheduler delete`.
struct TaskDelete: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete tasks; their history stays.",
        discussion: """
            Example:
              aico scheduler delete user.photos
            """)

    @OptionGroup var batch: TaskBatch

    func run() throws {
        try batch.run(.taskDelete, done: "deleted") { id, reply in
            let ending = (reply["ending"]?.array ?? []).compactMap(\.string)
            guard !ending.isEmpty else { return nil }
            let names = ending.map { String($0.prefix(8)) }.joined(separator: ", ")
            return ending.count == 1
                ? "execution \(names) is being ended; a new \(id) waits for it where it may not overlap"
                : "executions \(names) are being ended; a new \(id) waits for them where it may not overlap"
        }
    }
}
