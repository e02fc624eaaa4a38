// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import ArgumentParser

/// `aico scheduler stats`.
struct SchedulerStats: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats",
        abstract: "Count what ran, how it ended and how long it took.",
        discussion: """
            Examples:
              aico scheduler stats
              aico scheduler stats user.photos --since 7d
            """)

    @Argument(help: "Only of this task.")
    var id: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "From when on: a span such as 2h or 7d, or an instant. Default: 24 h ago.",
            valueName: "time"))
    var since: String?

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run() throws {
        let console = Console.current
        var body: [String: JSONValue] = [:]
        if let id { body["task"] = .string(id) }
        if let since {
            body["since"] = .string(try Checked.since(since, now: console.now()).iso8601)
        }
        let data = try connection.connect().ask(.stats, body)
        guard !output.json else { return try console.document(data) }
        try console.sheet(Self.sheet(data, now: console.now()))
    }

    /// The names and numbers of a reply.
    static func sheet(_ data: JSONValue, now: Instant) -> FieldList {
        var sheet = FieldList()
        func count(_ name: String) -> String? { data[name]?.int.map(String.init) }
        sheet.add(
            "since",
            data.instant("since").map { "\($0.iso8601) (\(HumanTime.relative($0, to: now)))" })
        sheet.add(
            "tasks",
            count("tasks").map { total in
                count("enabled").map { "\(total), \($0) of them enabled" } ?? total
            })
        sheet.add("running", count("running"))
        sheet.add("waiting", count("waiting"))
        sheet.add("queued", count("queued"))
        for (name, number) in sorted(data["outcomes"]) { sheet.add(name, number, Style.of(name)) }
        for (name, number) in sorted(data["not_run"]) { sheet.add("not run: \(name)", number) }
        sheet.add("retries", count("retries"))
        sheet.add("dead letters", count("dead_letters"))
        let lengths = ["mean", "minimum", "maximum"].compactMap { name in
            data["duration"]?[name]?.double.map { "\(name) \(HumanTime.length($0))" }
        }
        sheet.add("took", lengths.isEmpty ? nil : lengths.joined(separator: ", "))
        let latency = ["p50", "p99", "maximum"].compactMap { name in
            data["latency_ms"]?[name]?.double.map { "\(name) \(HumanTime.length($0 / 1000))" }
        }
        sheet.add("due to started", latency.isEmpty ? nil : latency.joined(separator: ", "))
        sheet.add("uptime", data["uptime"]?.double.map(HumanTime.length))
        return sheet
    }

    private static func sorted(_ counts: JSONValue?) -> [(String, String)] {
        (counts?.object ?? [:]).sorted { $0.key < $1.key }
            .compactMap { entry in entry.value.int.map { (entry.key, String($0)) } }
    }
}
