// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import ArgumentParser

/// `aico scheduler dlq`.
struct DeadLetterCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dlq",
        abstract: "See and handle executions that failed for good.",
        subcommands: [DeadLetterList.self, DeadLetterRetry.self, DeadLetterPurge.self])
}

/// `aico scheduler dlq list`.
struct DeadLetterList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the dead letters.",
        discussion: """
            Examples:
              aico scheduler dlq list --json
              aico scheduler dlq list --limit 20 --after 7
            """)

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("At most. Default: all.", valueName: "number"))
    var limit: Int?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Only those older than this one.", valueName: "number"))
    var after: Int?

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    /// How many dead letters one request asks for at most.
    private static let page = 1000

    func run() throws {
        let console = Console.current
        try Checked.count(limit, option: "--limit")
        try Checked.count(after, option: "--after")
        var body: [String: JSONValue] = [:]
        if let after { body["after"] = .int(after) }
        let data = try connection.connect()
            .pages(of: "dead_letters", .deadLetterList, body, limit: limit, page: Self.page)
        guard !output.json else { return try console.document(data) }
        var table = Table([
            .init(title: "ID", isRight: true), .init(title: "TASK", minimum: 14),
            .init(title: "EXECUTION", rank: 0), .init(title: "WHEN"),
            .init(title: "TRIES", isRight: true, rank: 1), .init(title: "REASON", minimum: 12),
        ])
        table.rows = (data["dead_letters"]?.array ?? []).map { letter in
            [
                .init(letter["id"]?.int.map(String.init) ?? ""),
                .init(letter["task"]?.string ?? ""),
                .init(String((letter["execution"]?.string ?? "").prefix(8))),
                .init(
                    letter.instant("at").map { HumanTime.relative($0, to: console.now()) } ?? "-"),
                .init(letter["attempts"]?.int.map(String.init) ?? ""),
                .init(letter["reason"]?.string ?? "", .bad),
            ]
        }
        try console.table(table, ifEmpty: ErrorMessages.noDeadLetters)
        console.say(LeftOut(of: data))
        if let next = data["next"]?.int { console.say(ErrorMessages.moreDeadLetters(after: next)) }
    }
}

/// `aico scheduler dlq retry`.
struct DeadLetterRetry: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Run a dead letter's task again.",
        discussion: """
            Example:
              aico scheduler dlq retry 7
            """)

    @Argument(help: "The dead letter's number.")
    var id: Int

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run() throws {
        let console = Console.current
        let data = try connection.connect().ask(.deadLetterRetry, ["id": .int(id)])
        guard !output.json else { return try console.document(data) }
        console.say("runs again as execution \((data["execution"]?.string ?? "").prefix(8))")
    }
}

/// `aico scheduler dlq purge`.
struct DeadLetterPurge: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "purge",
        abstract: "Forget a dead letter, or all of them; their history stays.",
        discussion: """
            Examples:
              aico scheduler dlq purge 7
              aico scheduler dlq purge --all
            """)

    @Argument(help: "The dead letter's number.")
    var id: Int?

    @Flag(help: "Every one.")
    var all = false

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run() throws {
        let console = Console.current
        guard all != (id != nil) else {
            throw all
                ? ErrorMessages.conflicting("a number", "--all") : ErrorMessages.purgeNeedsWord
        }
        let body: [String: JSONValue] = id.map { ["id": .int($0)] } ?? [:]
        let data = try connection.connect().ask(.deadLetterPurge, body)
        guard !output.json else { return try console.document(data) }
        console.say("purged \(data["purged"]?.int ?? 0)")
    }
}
