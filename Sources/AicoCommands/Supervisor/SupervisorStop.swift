// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import ArgumentParser
import BusClient

/// `aico supervisor stop`.
struct SupervisorStop: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop",
        abstract: "Stop the system, and wait until it is gone.",
        discussion: """
            Running executions are ended; they are retried at the next start by their policies.

            Example:
              aico supervisor stop
            """)

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The longest time to wait, in seconds.", valueName: "seconds"))
    var timeout = 60

    @OptionGroup var connection: ConnectionOptions

    func run() throws {
        let console = Console.current
        let bus = try connection.connect()
        let status = try bus.ask(.supervisorStatus)
        let pid = status["supervisor"]?["pid"]?.int.flatMap { Int32(exactly: $0) }
        _ = try bus.ask(.supervisorStop)
        let deadline = ContinuousClock.now + .seconds(timeout)
        while pid.map(ProcessTable.isRunning) ?? false || isListening() {
            guard ContinuousClock.now < deadline else { throw ErrorMessages.notGone(timeout) }
            ProcessTable.pause(milliseconds: 20)
        }
        console.say("stopped")
    }

    /// Whether a scheduler still answers; asks a fresh connection.
    private func isListening() -> Bool {
        guard let bus = try? connection.connect(timeout: .seconds(1)) else { return false }
        return (try? bus.ask(.supervisorStatus)) != nil
    }
}
