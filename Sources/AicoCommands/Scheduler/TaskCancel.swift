// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import ArgumentParser

/// `aico scheduler cancel`.
struct TaskCancel: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel",
        abstract: "End a running task or execution.",
        discussion: """
            Examples:
              aico scheduler cancel user.photos
              aico scheduler cancel 3f2a91c0
            """)

    @Argument(help: "A task's id, or an execution's id or its beginning.")
    var id: String

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run() throws {
        let console = Console.current
        let bus = try connection.connect()
        let data = try bus.ask(.taskCancel, try Target(id, on: bus).body)
        guard !output.json else { return console.document(data) }
        for execution in data["cancelled"]?.array ?? [] {
            console.say("cancelled execution \((execution.string ?? "").prefix(8))")
        }
    }
}
