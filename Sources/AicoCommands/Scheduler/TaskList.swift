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
              aico scheduler list --limit 100 --after user.photos
              aico scheduler list --json
            """)

    @Option(
        name: .customLong("class"),
        help: ArgumentHelp("Only tasks of a class.", valueName: "class"))
    var taskClass: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("At most. Default: all.", valueName: "number"))
    var limit: Int?

    @Option(help: ArgumentHelp("Only those whose ids come after this one.", valueName: "id"))
    var after: String?

    @Flag(help: "Show the list again at every change, and at least every 2 s, until Ctrl-C.")
    var watch = false

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    /// How many tasks one request asks for: few enough to hold nobody else up.
    static let page = 500

    func run() throws {
        let console = Console.current
        try Checked.count(limit, option: "--limit")
        if watch, output.json { throw ErrorMessages.conflicting("--watch", "--json") }
        var body: [String: JSONValue] = [:]
        if let taskClass {
            let known = TaskClass.allCases.map(\.name)
            guard known.contains(taskClass) else {
                throw ErrorMessages.badWord(taskClass, option: "--class", known: known)
            }
            body["class"] = .string(taskClass)
        }
        if let after { body["after"] = .string(after) }
        let bus = try connection.connect()
        guard !watch else {
            return try Watch(bus: bus, body: body, limit: limit).run(on: console)
        }
        let data = try Self.ask(bus, body, limit: limit)
        guard !output.json else { return try console.document(data) }
        try console.table(Self.table(data, now: console.now()), ifEmpty: ErrorMessages.noTasks)
        if let next = data["next"]?.string { console.say(ErrorMessages.moreTasks(after: next)) }
    }

    /// Asks for all tasks, or so many of them.
    static func ask(
        _ bus: Bus, _ body: [String: JSONValue], limit: Int?
    ) throws(Failure) -> JSONValue {
        try bus.pages(of: "tasks", .taskList, body, limit: limit, page: page)
    }

    /// The table of a reply.
    static func table(_ data: JSONValue, now: Instant) -> Table {
        TaskView.table((data["tasks"]?.array ?? []).map { TaskView($0) }, now: now)
    }
}
