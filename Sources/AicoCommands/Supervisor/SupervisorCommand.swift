// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import ArgumentParser

/// The verbs on the system as a whole.
struct SupervisorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "supervisor",
        abstract: "See and stop the system.",
        subcommands: [SupervisorStatus.self, SupervisorStop.self])
}
