// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import ArgumentParser

/// `aico scheduler next`.
struct TaskNext: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "next",
        abstract: "List what is due next, of all tasks or of one.",
        discussion: """
            Examples:
              aico scheduler next
              aico scheduler next user.photos --count 3
            """)

    @Argument(help: "Only of this task.")
    var id: String?

    @Option(
        name: [.short, .long], parsing: .unconditional,
        help: ArgumentHelp("How many times.", valueName: "number"))
    var count = 5

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run() throws {
        let console = Console.current
        try Checked.count(count, option: "--count")
        var body: [String: JSONValue] = ["count": .int(count)]
        if let id { body["task"] = .string(id) }
        let data = try connection.connect().ask(.taskNext, body)
        guard !output.json else { return try console.document(data) }
        let now = console.now()
        var table = Table([
            .init(title: "WHEN"), .init(title: "TASK", minimum: 16),
            .init(title: "AT", rank: 0),
        ])
        table.rows = (data["next"]?.array ?? []).map { entry in
            let at = entry.instant("at")
            return [
                .init(at.map { $0 <= now ? "due" : HumanTime.relative($0, to: now) } ?? "-"),
                .init(entry["task"]?.string ?? ""), .init(at?.iso8601 ?? "-", .faint),
            ]
        }
        try console.table(table, ifEmpty: ErrorMessages.nothingDue)
    }
}
