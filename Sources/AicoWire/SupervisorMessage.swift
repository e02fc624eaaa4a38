// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore

/// A fixed-size message (256 bytes) of the SOCK_SEQPACKET pair between supervisor and scheduler.
///
/// The scheduler's end is file descriptor 3 of `aico-scheduler`.
/// Byte layout, little endian: 0 magic 0xA1, 1 kind, 2 worker, 3 length of the words, 4-7 argument
/// (Int32), 8-15 process id (UInt64), 16-31 zero, 32-255 the words, then zeros. Any other length or
/// content is a violation.
package struct SupervisorMessage: Sendable, Equatable {
    /// Every message has exactly this many bytes.
    package static let size = 256
    /// The most bytes of words that one carries.
    package static let maximumWords = 224

    /// The message's kind.
    package enum Kind: UInt8, Sendable, CaseIterable {
        /// Scheduler to supervisor: launch a worker.
        case launch = 1
        /// Scheduler to supervisor: kill a worker's cgroup.
        case kill = 2
        /// Scheduler to supervisor: ask for `status` events of all workers.
        case status = 3
        /// Scheduler to supervisor: an admin asked for a stop of the whole system.
        case stop = 4
        /// Scheduler to supervisor: the answer to a ping; `argument` is the ping's.
        case pong = 5
        /// Scheduler to supervisor: whether a worker takes orders; `argument` is 1 where it does, else 0.
        case ready = 6
        /// Supervisor to scheduler: a worker runs; `processID` is its host pid.
        case launched = 65
        /// Supervisor to scheduler: a worker ended; `argument` is its raw wait status.
        case exited = 66
        /// Supervisor to scheduler: a launch failed; `argument` is the errno.
        case launchFailed = 67
        /// Supervisor to scheduler: finish, the system stops.
        case shutdown = 68
        /// Supervisor to scheduler: answer, to show that you run; `argument` is a number of its own.
        case ping = 69

        /// Whether words may follow.
        var hasWords: Bool { self == .exited || self == .launchFailed }
    }

    /// The kind.
    package var kind: Kind
    /// The number of the worker it is about; ignored (0) for status, stop, shutdown, ping and pong.
    package var worker: UInt8
    /// A wait status, an errno or a ping's number, by kind.
    package var argument: Int32
    /// A host process id, or 0.
    package var processID: UInt64
    /// The last bytes that an exited worker wrote to its standard error, as they came, or why a launch
    /// failed; other kinds have none, and more than `maximumWords` are cut at the front.
    package var words: [UInt8]

    package init(
        kind: Kind, worker: UInt8 = 0, argument: Int32 = 0, processID: UInt64 = 0,
        words: [UInt8] = []
    ) {
        self.kind = kind
        self.worker = worker
        self.argument = argument
        self.processID = processID
        self.words = kind.hasWords ? words.suffix(Self.maximumWords) : []
    }

    /// The words for a person: one line of text, without control and direction characters.
    package var wordsText: String {
        // A cut at the front may have left the rest of a character.
        let whole = words.drop { $0 & 0xC0 == 0x80 }
        var text = String.UnicodeScalarView()
        for scalar in String(decoding: whole, as: UTF8.self).unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: text.append(" ")
            default: text.append(scalar)
            }
        }
        return String(text).split(separator: " ").joined(separator: " ")
    }

    /// Encodes to exactly `size` bytes.
    package func encoded() -> [UInt8] {
        let words = kind.hasWords ? words.suffix(Self.maximumWords) : []
        var bytes: [UInt8] = [0xA1, kind.rawValue, worker, UInt8(words.count)]
        withUnsafeBytes(of: argument.littleEndian) { bytes.append(contentsOf: $0) }
        withUnsafeBytes(of: processID.littleEndian) { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: repeatElement(0, count: Self.head - bytes.count))
        bytes.append(contentsOf: words)
        bytes.append(contentsOf: repeatElement(0, count: Self.size - bytes.count))
        return bytes
    }

    /// Decodes; nil where anything at all is not as `encoded` writes it.
    package init?(decoding bytes: [UInt8]) {
        guard bytes.count == Self.size, bytes[0] == 0xA1,
            let kind = Kind(rawValue: bytes[1]), Int(bytes[2]) < WorkerID.maximumCount,
            bytes[16..<Self.head].allSatisfy({ $0 == 0 })
        else { return nil }
        let count = Int(bytes[3])
        guard count == 0 || kind.hasWords, count <= Self.maximumWords,
            bytes[(Self.head + count)...].allSatisfy({ $0 == 0 })
        else { return nil }
        func word<T: FixedWidthInteger>(_ offset: Int, _: T.Type) -> T {
            var value: T = 0
            for index in 0..<MemoryLayout<T>.size {
                value |= T(truncatingIfNeeded: bytes[offset + index]) << T(8 * index)
            }
            return value
        }
        self.init(
            kind: kind, worker: bytes[2], argument: word(4, Int32.self),
            processID: word(8, UInt64.self), words: Array(bytes[Self.head..<(Self.head + count)]))
    }

    /// Where the words begin.
    private static let head = 32
}
