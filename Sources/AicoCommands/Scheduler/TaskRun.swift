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
            guard !output.json else { return try console.document(data) }
            let state = data["state"]?.string ?? "queued"
            let wait = WaitReason(queued: data).map { "; waits: \($0.text)" } as PlainText?
            console.say("\(state): \(id), execution \(execution.prefix(8))" + (wait ?? ""))
            return
        }
        var follower = Follower(
            task: id, execution: execution, bus: bus, connection: connection,
            lines: !follow ? .none : output.json ? .talk : .data)
        follower.note(WaitReason(queued: data), on: console)
        let (json, view) = try follower.run(on: console)
        if output.json {
            try console.document(json)
        } else {
            try console.line(OutcomeText.sentence(view))
            if let result = view.result {
                try console.line("result \(PlainText(json: result))")
            }
        }
        OutcomeText.cause(of: view).map(console.say)
        guard view.outcome == "succeeded" else { throw Failure(.failed, "") }
    }
}
