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
            A task that runs is told to end and has its grace for that; --now, or a second cancel,
            kills it.

            Examples:
              aico scheduler cancel user.photos
              aico scheduler cancel 3f2a91c0 --now
            """)

    @Argument(help: "A task's id, or an execution's id or its beginning.")
    var id: String

    @Flag(help: "Kill it at once rather than tell it to end.")
    var now = false

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run() throws {
        let console = Console.current
        var body = try Target(id).body
        if now { body["now"] = true }
        let data = try connection.connect().ask(.taskCancel, body)
        guard !output.json else { return try console.document(data) }
        for execution in data["cancelled"]?.array ?? [] {
            console.say("cancelled execution \((execution.string ?? "").prefix(8))")
        }
        for waiting in data["waiting"]?.array ?? [] {
            console.say(Self.told(waiting, isKilled: now, now: console.now()))
        }
    }

    /// What becomes of one that was told to end and still runs.
    private static func told(
        _ waiting: JSONValue, isKilled: Bool, now: Instant
    ) -> PlainText {
        let id = (waiting["execution"]?.string ?? "").prefix(8)
        guard !isKilled else { return "execution \(id) is being killed" }
        let kill: PlainText = "\"aico scheduler cancel \(id) --now\" kills it"
        guard let until = waiting.instant("until") else {
            return "told execution \(id) to end; \(kill)"
        }
        let clock = until.iso8601.dropFirst(11).prefix(8)
        return "told execution \(id) to end; it is killed at \(clock) UTC "
            + "(\(HumanTime.relative(until, to: now))) unless it ends before; \(kill)"
    }
}
