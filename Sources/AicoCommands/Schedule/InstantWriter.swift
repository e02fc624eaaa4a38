// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore

/// Writes instants as `2025-01-15T10:00:00Z` into bytes; keeps the last day's date.
struct InstantWriter {
    private var day = Int64.min
    private var date: (UInt64, UInt16) = (0, 0)

    /// Appends an instant.
    mutating func write(_ instant: Instant, to bytes: inout [UInt8]) {
        let seconds = instant.seconds
        // Beyond years of four digits, and with a fraction, the general form is right.
        guard instant.microseconds == seconds &* 1_000_000, seconds >= -62_135_596_800,
            seconds < 253_402_300_800
        else { return bytes.append(contentsOf: instant.iso8601.utf8) }
        var found = seconds / 86400
        var rest = Int(seconds % 86400)
        if rest < 0 {
            rest += 86400
            found -= 1
        }
        if found != day { remember(day: found) }
        withUnsafeBytes(of: date.0) { bytes.append(contentsOf: $0) }
        withUnsafeBytes(of: date.1) { bytes.append(contentsOf: $0) }
        bytes.append(0x54)
        Self.two(rest / 3600, &bytes)
        bytes.append(0x3A)
        Self.two(rest / 60 % 60, &bytes)
        bytes.append(0x3A)
        Self.two(rest % 60, &bytes)
        bytes.append(0x5A)
    }

    private mutating func remember(day: Int64) {
        self.day = day
        let text = Array(Instant(seconds: day * 86400).iso8601.utf8.prefix(10))
        text.withUnsafeBytes {
            date = (
                $0.loadUnaligned(fromByteOffset: 0, as: UInt64.self),
                $0.loadUnaligned(fromByteOffset: 8, as: UInt16.self)
            )
        }
    }

    @inline(__always)
    private static func two(_ value: Int, _ bytes: inout [UInt8]) {
        bytes.append(UInt8(truncatingIfNeeded: 0x30 + value / 10))
        bytes.append(UInt8(truncatingIfNeeded: 0x30 + value % 10))
    }
}
