// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Capabilities
import Glibc

/// Where a verb writes, and what it knows of the terminal, the clock and the environment.
struct Console: Sendable {
    /// Writes data to standard output; what cannot be written ends the verb.
    var write: @Sendable (PlainText) throws(Failure) -> Void
    /// Writes talk to standard error; where that fails there is nobody to tell.
    var talk: @Sendable (PlainText) -> Void
    /// The columns of a line; nil where lines may have any length.
    var width: @Sendable () -> Int?
    /// The lines of the terminal; nil where there is none.
    var height: @Sendable () -> Int? = { nil }
    /// Whether standard output is a terminal.
    var isTerminal: Bool
    /// Whether colours are wanted.
    var isColoured: Bool
    /// The clock.
    var now: @Sendable () -> Instant
    /// The environment.
    var variable: @Sendable (String) -> String?
    /// What a process of this machine holds; nil where it cannot be asked.
    var capabilities: @Sendable (Int32) -> CapabilitySet? = { CapabilitySet(ofProcess: $0) }
    /// Lets Ctrl-C be asked for by `isInterrupted` rather than end the process.
    var catchInterrupts: @Sendable () -> Void
    /// Whether Ctrl-C was pressed since `catchInterrupts`.
    var isInterrupted: @Sendable () -> Bool

    /// The console of the verb that runs.
    @TaskLocal static var current = Console.process

    /// The process's own.
    static let process = Console(
        write: { (text) throws(Failure) in try StandardStream.output(text) },
        talk: { StandardStream.talk($0) },
        width: { TerminalSize.columns() },
        height: { TerminalSize.lines() },
        isTerminal: isatty(STDOUT_FILENO) == 1,
        isColoured: isatty(STDOUT_FILENO) == 1 && environment("NO_COLOR") == nil
            && environment("TERM") != "dumb",
        now: { Self.clock() },
        variable: { environment($0) },
        catchInterrupts: { Interrupts.install() },
        isInterrupted: { Interrupts.wasInterrupted })

    /// An environment variable; nil where it is missing or empty.
    private static func environment(_ name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }

    private static func clock() -> Instant {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Instant(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    }
}
