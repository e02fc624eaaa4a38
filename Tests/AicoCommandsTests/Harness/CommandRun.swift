// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Capabilities
import Glibc
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

    private final class Counter: Sendable {
        private let value: Mutex<Int>
        init(_ value: Int) { self.value = Mutex(value) }
        /// Whether there was one left.
        func take() -> Bool {
            value.withLock {
                $0 -= 1
                return $0 >= 0
            }
        }
    }

    /// What the processes of `Samples.processes` hold.
    static let held: @Sendable (Int32) -> CapabilitySet? = {
        [10: .all, 11: [], 12: .dacReadSearch][$0]
    }

    /// Runs a command line under a root, its console caught. After `writable` writes standard
    /// output answers with `fault`.
    init(
        _ arguments: [String], root: CommandRoot? = nil, width: Int? = 80,
        patience: Duration = .seconds(30), writable: Int = .max, fault: Int32 = EPIPE,
        isInterrupted: @escaping @Sendable () -> Bool = { false }
    ) {
        let output = Text()
        let talk = Text()
        let left = Counter(writable)
        let path = root?.path ?? "/nonexistent"
        let console = Console(
            write: { (text) throws(Failure) in
                guard left.take() else {
                    throw ErrorMessages.unwritable(StandardStream.Fault(number: fault))
                }
                output.value.withLock { $0 += text.text }
            },
            talk: { text in talk.value.withLock { $0 += text.text } }, width: { width },
            isTerminal: false, isColoured: false, now: { Self.now },
            variable: { $0 == "AICO_ROOT" ? path : nil },
            capabilities: Self.held, catchInterrupts: {},
            isInterrupted: isInterrupted)
        status = ConnectionOptions.$patience.withValue(patience) {
            Console.$current.withValue(console) { CommandRunner.run(arguments) }
        }
        self.output = output.value.withLock { $0 }
        self.talk = talk.value.withLock { $0 }
    }

    /// The one JSON document on standard output.
    func document() throws -> JSONValue {
        try #require(output.hasSuffix("}\n"))
        return try JSONValue.parse(Array(output.utf8), maximumBytes: 1 << 24)
    }
}
