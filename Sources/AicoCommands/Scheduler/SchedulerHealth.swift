// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import ArgumentParser

/// `aico scheduler health`.
struct SchedulerHealth: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "health",
        abstract: "Say how the system is; exits with 1 where it is not healthy.",
        discussion: """
            "system" is the scheduler, its workers, the store and the system's own tasks; "tasks" is
            how attempts of agency and user tasks ended. The exit code tells of the system alone.

            Example:
              aico scheduler health --json
            """)

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run() throws {
        let console = Console.current
        let data = try connection.connect().ask(.health)
        let status = data["status"]?.string ?? "unknown"
        if output.json {
            try console.document(data)
        } else {
            try console.sheet(Self.statuses(data))
            try show(data, on: console)
        }
        guard status == "healthy" else { throw Failure(.failed, "") }
    }

    /// Both statuses, each with what it is about.
    private static func statuses(_ data: JSONValue) -> FieldList {
        var sheet = FieldList()
        func add(_ name: String, _ member: String, _ subject: String) {
            guard let status = data[member]?.string else { return }
            sheet.add(name, "\(status) (\(subject))", Style.of(status))
        }
        add("system", "status", "scheduler, workers, store and the system's own tasks")
        add("tasks", "tasks_status", "how attempts of agency and user tasks ended")
        return sheet
    }

    private func show(_ data: JSONValue, on console: Console) throws(Failure) {
        var checks = Table([
            .init(title: "CHECK"), .init(title: "STATUS"), .init(title: "MESSAGE", minimum: 16),
        ])
        checks.rows = (data["checks"]?.array ?? []).map { check in
            let status = check["status"]?.string ?? ""
            return [
                .init(check["name"]?.string ?? ""), .init(status, Style.of(status)),
                .init(check["message"]?.string ?? ""),
            ]
        }
        var workers = Table([
            .init(title: "WORKER"), .init(title: "STATE"), .init(title: "PID", isRight: true),
            .init(title: "RESTARTS", isRight: true, rank: 1),
            .init(title: "LAYERS", minimum: 12, rank: 0),
        ])
        workers.rows = (data["workers"]?.array ?? []).map { worker in
            let state = worker["state"]?.string ?? ""
            let layers = (worker["layers"]?.array ?? []).compactMap(\.string)
            return [
                .init(WorkerView.label(of: worker)), .init(state, Style.of(state)),
                .init(worker["pid"]?.int.map(String.init) ?? "-"),
                .init(worker["restarts"]?.int.map(String.init) ?? "0"),
                .init(layers.joined(separator: " "), .faint),
            ]
        }
        for table in [checks, workers] where !table.rows.isEmpty {
            try console.line("")
            try console.table(table, ifEmpty: "")
        }
    }
}
