// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Synchronization
import Testing

@testable import AicoCommands

/// What a command line came to.
struct CommandRun {
    /// When every test's command runs.
    static let now = Instant(seconds: 1_768_471_200)  // 2026-01-15T10:00:00Z

    let status: Int32
    let output: String
    let talk: String

    private final class Text: Sendable {
        let value = Mutex("")
    }

    /// Runs a command line under a root, its console caught.
    init(
        _ arguments: [String], root: CommandRoot? = nil, width: Int? = 80,
        isInterrupted: @escaping @Sendable () -> Bool = { false }
    ) {
        let output = Text()
        let talk = Text()
        let path = root?.path ?? "/nonexistent"
        let console = Console(
            write: { text in output.value.withLock { $0 += text } },
            talk: { text in talk.value.withLock { $0 += text } }, width: { width },
            isTerminal: false, isColoured: false, now: { Self.now },
            variable: { $0 == "AICO_ROOT" ? path : nil }, catchInterrupts: {},
            isInterrupted: isInterrupted)
        status = Console.$current.withValue(console) { CommandRunner.run(arguments) }
        self.output = output.value.withLock { $0 }
        self.talk = talk.value.withLock { $0 }
    }

    /// The one JSON document on standard output.
    func document() throws -> JSONValue {
        try #require(output.hasSuffix("}\n"))
        return try JSONValue.parse(Array(output.utf8), maximumBytes: 1 << 24)
    }
}
