// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import ArgumentParser

/// `aico scheduler logs`.
struct TaskLogs: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs",
        abstract: "Show the output of a task's latest execution, or of a named execution.",
        discussion: """
            Times are in UTC. Lines are data (standard output), all else is talk.

            Examples:
              aico scheduler logs user.photos --follow
              aico scheduler logs 3f2a91c0 --tail 20
            """)

    @Argument(help: "A task's id, or an execution's id or its beginning.")
    var id: String

    @Flag(name: [.short, .long], help: "Go on with new lines until the execution ends.")
    var follow = false

    @Option(
        name: [.customShort("n"), .long], parsing: .unconditional,
        help: ArgumentHelp("Only the last lines.", valueName: "number"))
    var tail: Int?

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run() throws {
        let console = Console.current
        try Checked.count(tail, option: "--tail")
        if follow, output.json { throw ErrorMessages.conflicting("--follow", "--json") }
        let target = try Target(id)
        let bus = try connection.connect()
        if follow {
            console.catchInterrupts()
            // Before the lines are read, so that none falls between both.
            try bus.subscribe()
        }
        var body = target.body
        if let tail { body["tail"] = .int(tail) } else { body["limit"] = follow ? 1 : 1000 }
        let data = try bus.ask(.taskLogs, body)
        let execution = ExecutionView(data["execution"] ?? .null)
        guard !execution.id.isEmpty else { throw ErrorMessages.neverRan(id) }
        guard !output.json else {
            return try console.document(try tail == nil ? whole(data, execution.id, on: bus) : data)
        }
        var follower = Follower(
            task: execution.task, execution: execution.id, bus: bus, connection: connection,
            lines: .data)
        try follower.catchUp(tail: tail, first: data, on: console)
        guard follow else { return }
        let end: ExecutionView
        if let (_, view) = try follower.ending(console) {
            end = view
        } else {
            (_, end) = try follower.run(on: console)
        }
        console.say(OutcomeText.sentence(end))
        OutcomeText.cause(of: end).map(console.say)
    }

    /// The document with all lines rather than the first page of them.
    private func whole(
        _ first: JSONValue, _ execution: String, on bus: Bus
    ) throws(Failure) -> JSONValue {
        var members = first.object ?? [:]
        var lines = first["lines"]?.array ?? []
        var leftOut = LeftOut(of: first)
        var (page, place) = (first, 0)
        // A page may have nothing but lines that cannot be read.
        while page["more"]?.bool == true, let last = page["next"]?.int ?? lines.last?["id"]?.int,
            last > place
        {
            place = last
            page = try bus.ask(
                .taskLogs,
                ["execution": .string(execution), "after": .int(last), "limit": 1000])
            lines += page["lines"]?.array ?? []
            leftOut.add(page)
        }
        members["lines"] = .array(lines)
        if members[LeftOut.member] != nil { members[LeftOut.member] = leftOut.json }
        for member in ["more", "next"] { members[member] = nil }
        return .object(members)
    }
}
