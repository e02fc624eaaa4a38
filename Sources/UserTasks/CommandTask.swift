// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import AicoCore
import AicoWire
import Glibc
import LinuxSystem
package import TaskKit

/// Runs a command: its output becomes log lines, its exit code decides.
///
/// A line of JSON on the command's descriptor 3 becomes the result. Exit code 75 means that a
/// retry may help, 78, 126 and 127 that it cannot; of all others the retry policy decides.
package struct CommandTask: ScheduledTask {
    /// `user.command`.
    package static let id = "user.command"
    /// What it is for.
    package static let summary = "Runs a command; its output becomes log lines"

    package init() {}

    /// Runs the command to its end.
    package func run(
        _ config: CommandConfig, _ context: TaskContext
    ) async throws -> JSONValue {
        // A command may close its input before all of it is written.
        signal(SIGPIPE, SIG_IGN)
        do {
            let process = try CommandProcess.start(
                argv: config.argv,
                variables: CommandEnvironment.variables(config, context),
                workingDirectory: config.workingDirectory, hasInput: config.input != nil,
                output: context.outputDescriptor,
                errors: config.mergesOutput ? context.outputDescriptor : context.errorDescriptor)
            var run = try CommandRun(process, input: config.input, context: context)
            let end = try run.wait()
            return try run.verdict(end)
        } catch let failure as CommandFailure {
            throw CommandOutcome.notStarted(config.argv[0], failure)
        }
    }
}

extension CommandTask: PrewarmedTask {
    /// Goes the way of a run up to the start of a program, and from its end on.
    package static func prewarm(_ context: TaskContext) {
        let config: JSONValue = [
            "argv": ["true", "word"], "environment": ["NAME": "value"], "working_directory": "/",
        ]
        guard let config = try? CommandConfig.read(config),
            let process = try? CommandProcess.prepared(
                argv: config.argv, variables: CommandEnvironment.variables(config, context),
                workingDirectory: config.workingDirectory),
            let run = try? CommandRun(process, input: config.input, context: context)
        else { return }
        _ = try? run.verdict(.exited(code: 0))
    }
}
