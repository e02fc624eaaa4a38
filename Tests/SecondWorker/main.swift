// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import TaskKit
import UserTasks

/// What `user.command` does, under another id: the probes of class user run in a second worker too.
struct SecondCommand: ScheduledTask {
    static let id = "user.second_command"
    static let summary = "Runs a command in another worker"

    func run(_ config: CommandConfig, _ context: TaskContext) async throws -> JSONValue {
        try await CommandTask().run(config, context)
    }
}

/// A type that two of these workers describe.
struct Same: ScheduledTask {
    static let id = "user.same"
    static let summary = "Is described twice"

    func run(_ config: NoConfig, _ context: TaskContext) async throws -> NoResult { NoResult() }
}

// Installed under several names, it stands for the workers of several third parties.
let name = CommandLine.arguments.first?.split(separator: "/").last ?? ""
let types: [any ScheduledTask.Type] =
    switch name {
    case "acme-worker-user": [SecondCommand.self, Same.self]
    case "other-worker-user": [Same.self]
    case "thief-worker-user": [CommandTask.self]
    default: [SecondCommand.self]
    }
WorkerMain.run(class: .user, types: types)
