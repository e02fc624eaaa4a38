// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import ArgumentParser
import Capabilities

/// `aico supervisor status`.
struct SupervisorStatus: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "List the system's processes.",
        discussion: """
            CAPABILITIES is what each process holds now, read from the kernel on this machine.
            TYPES are the task types that a worker has.

            Example:
              aico supervisor status --json
            """)

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run() throws {
        let console = Console.current
        let data = Self.adding(
            console.capabilities, to: try connection.connect().ask(.supervisorStatus))
        guard !output.json else { return try console.document(data) }
        var table = Table([
            .init(title: "PROCESS"), .init(title: "STATE"), .init(title: "PID", isRight: true),
            .init(title: "UP", isRight: true), .init(title: "RESTARTS", isRight: true, rank: 1),
            .init(title: "CAPABILITIES", rank: 2), .init(title: "TYPES", minimum: 12, rank: 0),
        ])
        table.rows = [
            Self.row("supervisor", data["supervisor"] ?? .null),
            Self.row("scheduler", data["scheduler"] ?? .null),
        ]
        for worker in data["workers"]?.array ?? [] {
            table.rows.append(Self.row("worker \(WorkerView.label(of: worker))", worker))
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
            .init(capabilities(process)), .init(WorkerView.types(of: process), .faint),
        ]
    }

    private static func capabilities(_ process: JSONValue) -> String {
        guard case .array(let names)? = process["capabilities"] else { return "" }
        let words = names.compactMap(\.string)
        switch words.count {
        case 0: return "none"
        case ...4: return words.joined(separator: ", ")
        default: return words.count == CapabilitySet.all.names.count ? "all" : "\(words.count)"
        }
    }

    /// The system's answer, with what the processes hold by what the kernel says here.
    static func adding(
        _ capabilities: (Int32) -> CapabilitySet?, to data: JSONValue
    ) -> JSONValue {
        func completed(_ process: JSONValue) -> JSONValue {
            guard case .object(var members) = process, let pid = process["pid"]?.int,
                let held = capabilities(Int32(clamping: pid))
            else { return process }
            members["capabilities"] = .array(held.names.map(JSONValue.string))
            return .object(members)
        }
        guard case .object(var members) = data else { return data }
        for name in ["supervisor", "scheduler"] {
            members[name] = members[name].map(completed)
        }
        if case .array(let workers)? = members["workers"] {
            members["workers"] = .array(workers.map(completed))
        }
        return .object(members)
    }
}
