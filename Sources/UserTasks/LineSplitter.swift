// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Cuts a stream of bytes into lines of text.
struct LineSplitter {
    /// The longest line in bytes; what is longer becomes several.
    static let maximumBytes = 8 * 1024

    private var pending: [UInt8] = []

    /// Takes bytes and gives the lines that they complete, without their ends.
    mutating func take(_ bytes: some Sequence<UInt8>) -> [String] {
        var lines: [String] = []
        for byte in bytes {
            if byte == 0x0A {
                lines.append(line())
            } else {
                if pending.count == Self.maximumBytes { lines.append(cut()) }
                pending.append(byte)
            }
        }
        return lines
    }

    /// Gives what follows the last line's end; nil where nothing does.
    mutating func finish() -> String? { pending.isEmpty ? nil : line() }

    private mutating func line() -> String {
        if pending.last == 0x0D { pending.removeLast() }
        defer { pending.removeAll(keepingCapacity: true) }
        return text(pending[...])
    }

    /// Cuts a full line off at the end of a character.
    private mutating func cut() -> String {
        var end = pending.count
        while end > pending.count - 4, end > 1, pending[end - 1] & 0xC0 == 0x80 { end -= 1 }
        // A leading byte at the end begins a character that is not complete, or not one at all.
        if pending[end - 1] & 0xC0 == 0xC0, end > 1 { end -= 1 } else { end = pending.count }
        let whole = text(pending[..<end])
        pending.removeFirst(end)
        return whole
    }

    /// Decodes UTF-8; what is none becomes U+FFFD.
    private func text(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes, as: UTF8.self)
    }
}
