// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import ArgumentParser
import BusClient

/// `aico scheduler list`.
struct TaskList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the tasks.",
        discussion: """
            Examples:
              aico scheduler list
              aico scheduler list --class user --watch
              aico scheduler list --json
            """)

    @Option(
        name: .customLong("class"),
        help: ArgumentHelp("Only tasks of a class.", valueName: "class"))
    var taskClass: String?

    @Flag(help: "Show the list again at every change, and at least every 2 s, until Ctrl-C.")
    var watch = false

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run() throws {
        let console = Console.current
        if watch, output.json { throw Wording.conflicting("--watch", "--json") }
        var body: [String: JSONValue] = [:]
        if let taskClass {
            let known = TaskClass.allCases.map(\.name)
            guard known.contains(taskClass) else {
                throw Wording.badWord(taskClass, option: "--class", known: known)
            }
            body["class"] = .string(taskClass)
        }
        let bus = try connection.connect()
        guard !watch else { return try Watch(bus: bus, body: body).run(on: console) }
        let data = try bus.ask(.taskList, body)
        guard !output.json else { return console.document(data) }
        console.table(Self.table(data, now: console.now()), ifEmpty: Wording.noTasks)
    }

    /// The table of a reply.
    static func table(_ data: JSONValue, now: Instant) -> Table {
        TaskView.table((data["tasks"]?.array ?? []).map { TaskView($0) }, now: now)
    }
}
