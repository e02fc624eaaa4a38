// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore

/// Writes instants as `"2025-01-15T10:00:00Z"` into bytes, quotes included.
///
/// Keeps the last one's text and changes only the digits that differ: most neighbours share a day.
struct InstantWriter {
    private var day = Int64.min
    private var text = Array("\"2025-01-15T10:00:00Z\"".utf8)

    /// Appends an instant.
    mutating func write(_ instant: Instant, to bytes: inout [UInt8]) {
        let seconds = instant.seconds
        // Beyond years of four digits, and with a fraction, the general form is right.
        guard instant.microseconds == seconds &* 1_000_000, seconds >= -62_135_596_800,
            seconds < 253_402_300_800
        else { return bytes.append(contentsOf: "\"\(instant.iso8601)\"".utf8) }
        var found = seconds / 86400
        var rest = Int(seconds % 86400)
        if rest < 0 {
            rest += 86400
            found -= 1
        }
        if found != day {
            day = found
            text.replaceSubrange(
                1..<11, with: Instant(seconds: day * 86400).iso8601.utf8.prefix(10))
        }
        put(rest / 3600, at: 12)
        put(rest / 60 % 60, at: 15)
        put(rest % 60, at: 18)
        bytes.append(contentsOf: text)
    }

    @inline(__always)
    private mutating func put(_ value: Int, at index: Int) {
        text[index] = UInt8(truncatingIfNeeded: 0x30 + value / 10)
        text[index + 1] = UInt8(truncatingIfNeeded: 0x30 + value % 10)
    }
}
