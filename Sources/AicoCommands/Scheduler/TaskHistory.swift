// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import ArgumentParser

/// `aico scheduler history`.
struct TaskHistory: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "List executions, the newest first.",
        discussion: """
            Examples:
              aico scheduler history
              aico scheduler history user.photos --limit 5
              aico scheduler history --outcome timed_out --since 7d --json
            """)

    @Argument(help: "Only of this task.")
    var id: String?

    @Option(
        help: ArgumentHelp(
            """
            Only with this outcome: \
            \(Outcome.Kind.allCases.map(\.rawValue).joined(separator: ", ")).
            """, valueName: "outcome"))
    var outcome: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Only later than this: a span such as 2h or 7d, or an instant.", valueName: "time"))
    var since: String?

    @Option(
        name: [.customShort("n"), .long], parsing: .unconditional,
        help: ArgumentHelp("At most.", valueName: "number"))
    var limit = 20

    @Option(
        help: ArgumentHelp(
            "Go on where a page ended: the \"next\" of its document.", valueName: "cursor"))
    var after: String?

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    /// How many executions one request asks for at most.
    private static let page = 1000

    func run() throws {
        let console = Console.current
        try Checked.count(limit, option: "--limit")
        var body: [String: JSONValue] = [:]
        if let id { body["task"] = .string(id) }
        if let outcome {
            let known = Outcome.Kind.allCases.map(\.rawValue)
            guard known.contains(outcome) else {
                throw ErrorMessages.badWord(outcome, option: "--outcome", known: known)
            }
            body["outcome"] = .string(outcome)
        }
        if let since {
            body["since"] = .string(try Checked.since(since, now: console.now()).iso8601)
        }
        if let after { body["after"] = .string(after) }
        let data = try connection.connect()
            .pages(of: "executions", .taskHistory, body, limit: limit, page: Self.page)
        guard !output.json else { return try console.document(data) }
        // What waits for its first attempt has no row yet: it is the newest of all.
        let queued = (data["queued"]?.array ?? []).reversed()
        let executions = (queued + (data["executions"]?.array ?? [])).map { ExecutionView($0) }
        try console.table(
            ExecutionView.table(executions, now: console.now()), ifEmpty: ErrorMessages.noExecutions
        )
        console.say(LeftOut(of: data))
    }
}
