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
    func run(_ topic: BusTopic, done: String) throws {
        let console = Console.current
        let bus = try connection.connect()
        var first: Failure?
        for id in ids {
            do throws(Failure) {
                _ = try bus.ask(topic, ["task": .string(id)])
                console.say("\(done) \(id)")
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

    func run() throws { try batch.run(.taskDisable, done: "disabled") }
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

    func run() throws { try batch.run(.taskDelete, done: "deleted") }
}
