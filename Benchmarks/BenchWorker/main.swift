// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import TaskKit

/// A Swift task that does nothing, so that a run of it is the cost of the sandbox.
struct Nothing: ScheduledTask {
    static let id = "user.nothing"
    static let summary = "Does nothing"

    func run(_ config: NoConfig, _ context: TaskContext) async throws -> NoResult { NoResult() }
}

WorkerMain.run(class: .user, types: [Nothing.self])
