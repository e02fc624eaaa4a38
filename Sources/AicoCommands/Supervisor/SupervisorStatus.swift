// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import ArgumentParser

/// `aico supervisor status`.
struct SupervisorStatus: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "List the system's processes.",
        discussion: """
            Example:
              aico supervisor status --json
            """)

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run() throws {
        let console = Console.current
        let data = try connection.connect().ask(.supervisorStatus)
        guard !output.json else { return try console.document(data) }
        var table = Table([
            .init(title: "PROCESS"), .init(title: "STATE"), .init(title: "PID", isRight: true),
            .init(title: "UP", isRight: true), .init(title: "RESTARTS", isRight: true, rank: 0),
        ])
        table.rows = [
            Self.row("supervisor", data["supervisor"] ?? .null),
            Self.row("scheduler", data["scheduler"] ?? .null),
        ]
        for worker in data["workers"]?.array ?? [] {
            table.rows.append(Self.row("worker \(worker["class"]?.string ?? "?")", worker))
        }
        try console.table(table, ifEmpty: "")
    }

    private static func row(_ name: String, _ process: JSONValue) -> [Table.Cell] {
        let state = process["state"]?.string ?? "running"
        return [
            .init(name), .init(state, Style.of(state)),
            .init(process["pid"]?.int.map(String.init) ?? "-"),
            .init(process["uptime"]?.double.map(HumanTime.length) ?? ""),
            .init(process["restarts"]?.int.map(String.init) ?? ""),
        ]
    }
}
