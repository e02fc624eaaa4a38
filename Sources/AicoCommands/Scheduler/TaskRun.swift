// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import ArgumentParser

/// `aico scheduler run`.
struct TaskRun: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run a task now.",
        discussion: """
            With --wait or --follow the exit code is 0 where the execution succeeded, else 1.
            Ctrl-C leaves it running.

            Examples:
              aico scheduler run user.photos
              aico scheduler run user.photos --follow
              aico scheduler run user.photos --wait --json
            """)

    @Argument(help: "The task's id.")
    var id: String

    @Flag(help: "Show its output and progress until it ends.")
    var follow = false

    @Flag(help: "Wait until it ends, retries included.")
    var wait = false

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run() throws {
        let console = Console.current
        let bus = try connection.connect()
        let isFollowed = follow || wait
        // Before the request, so that no line of a short execution is missed.
        if isFollowed {
            console.catchInterrupts()
            try bus.subscribe()
        }
        let data = try bus.ask(.taskRun, ["task": .string(id)])
        let execution = data["execution"]?.string ?? ""
        guard isFollowed else {
            guard !output.json else { return console.document(data) }
            let state = data["state"]?.string ?? "queued"
            console.say("\(state): \(id), execution \(execution.prefix(8))")
            return
        }
        var follower = Follower(
            task: id, execution: execution, bus: bus, connection: connection,
            lines: !follow ? .none : output.json ? .talk : .data)
        let (json, view) = try follower.run(on: console)
        if output.json {
            console.document(json)
        } else {
            console.line(Ending.sentence(view))
            if let result = view.result { console.line("result \(result.text())") }
        }
        Ending.cause(of: view).map(console.say)
        guard view.outcome == "succeeded" else { throw Failure(.failed, "") }
    }
}
