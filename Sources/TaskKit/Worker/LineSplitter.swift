// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore

/// Cuts a stream of bytes into lines of text.
struct LineSplitter {
    /// The most bytes kept of a line; what is longer is cut and says so. Three times as many, where
    /// no byte is text, still fit into a report.
    static let maximumBytes = 16 * 1024

    private var pending: [UInt8] = []
    /// Bytes of the line beyond those kept.
    private var beyond = 0

    /// Takes bytes and gives the lines that they complete, without their ends.
    mutating func feed(_ bytes: ArraySlice<UInt8>) -> [String] {
        var lines: [String] = []
        var rest = bytes
        while let end = rest.firstIndex(of: 0x0A) {
            append(rest[..<end])
            lines.append(line())
            rest = rest[(end + 1)...]
        }
        append(rest)
        return lines
    }

    /// Gives what follows the last line's end; nil where nothing does.
    mutating func finish() -> String? { pending.isEmpty ? nil : line() }

    private mutating func append(_ bytes: ArraySlice<UInt8>) {
        // One byte more than is kept, to see whether the last character is whole.
        let room = Self.maximumBytes + 1 - pending.count
        pending += bytes.prefix(room)
        beyond += max(0, bytes.count - room)
    }

    private mutating func line() -> String {
        defer {
            pending.removeAll(keepingCapacity: true)
            beyond = 0
        }
        if pending.last == 0x0D, beyond == 0 { pending.removeLast() }
        let count = pending.count + beyond
        let kept = CutText.wholeCharacters(pending, limit: Self.maximumBytes)
        // What is no UTF-8 becomes U+FFFD.
        let text = String(decoding: pending[..<kept], as: UTF8.self)
        return kept < count ? text + CutText.mark(ofBytes: count) : text
    }
}
