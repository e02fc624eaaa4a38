// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import ArgumentParser

/// The `aico` command and its verbs.
struct AicoCommand: ParsableCommand {
    /// The version that `aico --version` prints.
    static let version = "0.1.0"

    /// The name, help and verbs.
    static let configuration = CommandConfiguration(
        commandName: "aico",
        abstract: "Schedule tasks and see what they did.",
        discussion: """
            A first task:
              aico scheduler create user.hello "*/5 * * * *" -- /bin/echo hello
              aico scheduler run user.hello --follow
              aico scheduler history user.hello

            Exit codes: 0 done, 1 failed, 2 usage, 3 not found, 4 refused, 5 no daemon.
            Reading verbs take --json. AICO_ROOT or --root names another system than the
            installed one. NO_COLOR and COLUMNS are respected.
            """,
        version: version,
        subcommands: [SchedulerCommand.self, ScheduleCommand.self, SupervisorCommand.self])

    /// Without a verb: those that are used most, and the way to the others.
    func run() throws {
        let console = Console.current
        var table = Table([.init(title: ""), .init(title: "")])
        table.hasHeading = false
        table.rows = (ErrorMessages.mostUsed + ErrorMessages.otherVerbs).map {
            [.init("  \($0.command)"), .init($0.does)]
        }
        table.rows.insert(["", ""], at: ErrorMessages.mostUsed.count)
        try console.line("Schedule tasks and see what they did.\n")
        try console.write(table.text(width: nil, coloured: console.isColoured))
    }
}
