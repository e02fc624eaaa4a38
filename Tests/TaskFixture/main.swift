// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// A task process without a sandbox, for tests of what its worker sees of it: descriptor 3 is its
// socket.

import TaskKit

/// Prints, and ends by a trap.
struct TrapTask: ScheduledTask {
    static let id = "user.trap"
    static let summary = "Ends by a trap"

    func run(_ config: NoConfig, _ context: TaskContext) async throws -> NoResult {
        print("before the trap")
        fatalError("no such thing")
    }
}

/// Prints a line without an end, and succeeds.
struct PrintTask: ScheduledTask {
    static let id = "user.print"
    static let summary = "Prints"

    func run(_ config: NoConfig, _ context: TaskContext) async throws -> NoResult {
        print("one")
        print("two", terminator: "")
        return NoResult()
    }
}

TaskMain.run([TrapTask.self, PrintTask.self], descriptor: 3)
