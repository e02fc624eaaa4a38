// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import TaskKit

/// The variables that a command starts with.
enum CommandEnvironment {
    /// Where programs without a slash are looked for.
    static let path = "/usr/local/bin:/usr/bin:/bin"

    /// Gives the default variables, then those of the config, then those that say whose run it is.
    static func variables(_ config: CommandConfig, _ context: TaskContext) -> [String: String] {
        // As its /etc/passwd has it.
        let user = TaskClass.user.userName
        let defaults = [
            "PATH": path, "HOME": "/aico/work", "LANG": "C.UTF-8", "USER": user, "LOGNAME": user,
        ]
        let identity = [
            "AICO_TASK_ID": context.taskID,
            "AICO_EXECUTION_ID": context.executionID,
            "AICO_OCCURRENCE": context.occurrence.iso8601,
            "AICO_ATTEMPT": String(context.attempt),
        ]
        return defaults.merging(config.environment) { $1 }.merging(identity) { $1 }
    }

    /// The files that a program's name may mean, in the order to be tried.
    static func candidates(_ program: String, path: String) -> [String] {
        guard !program.contains("/") else { return [program] }
        return path.split(separator: ":").map { "\($0)/\(program)" }
    }
}
