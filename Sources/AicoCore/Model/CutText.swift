// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Texts that are too long are cut at the end of a character, and say so.
package enum CutText {
    /// What stands behind a text that was cut, with the length that it had.
    package static func mark(ofBytes count: Int) -> String { " ... [cut: \(count) bytes]" }

    /// How many of the first `limit` bytes end with a whole character; all where they are no UTF-8.
    package static func wholeCharacters(
        _ bytes: some RandomAccessCollection<UInt8>, limit: Int
    ) -> Int {
        guard bytes.count > limit else { return bytes.count }
        let start = bytes.startIndex
        var count = limit
        // A character has at most four bytes; its first one is no continuation.
        while count > max(0, limit - 4), bytes[bytes.index(start, offsetBy: count)] & 0xC0 == 0x80 {
            count -= 1
        }
        return count > max(0, limit - 4) ? count : limit
    }

    /// A text of at most `limit` bytes; one that is longer ends with the mark.
    package static func fitting(_ text: String, limit: Int) -> String {
        guard text.utf8.count > limit else { return text }
        let mark = mark(ofBytes: text.utf8.count)
        let count = wholeCharacters(Array(text.utf8), limit: limit - mark.utf8.count)
        return String(decoding: text.utf8.prefix(count), as: UTF8.self) + mark
    }
}
