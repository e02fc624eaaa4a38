// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

extension Instant {
    /// The instant as `2025-01-15T10:00:00Z`, with `.123456` before the Z where not whole.
    public var iso8601: String {
        let civil = CivilTime(secondsSinceEpoch: seconds)
        let fraction = microseconds &- seconds &* 1_000_000
        var text = civil.iso8601
        if fraction != 0 {
            let digits = String(fraction)
            text += "." + String(repeating: "0", count: 6 - digits.utf8.count) + digits
        }
        return text + "Z"
    }

    /// Reads ISO 8601 with date, time and zone: `2025-01-15T10:00:00[.123456](Z|+01:00|-0500)`.
    ///
    /// Seconds may be left out; a space may stand for `T`. Digits after the sixth are dropped.
    public init?(iso8601 text: some StringProtocol) {
        var reader = DigitReader(Array(text.utf8))
        guard let year = reader.number(digits: 4), reader.take(0x2D),
            let month = reader.number(digits: 2), reader.take(0x2D),
            let day = reader.number(digits: 2), reader.take(0x54) || reader.take(0x20),
            let hour = reader.number(digits: 2), reader.take(0x3A),
            let minute = reader.number(digits: 2)
        else { return nil }
        var second = 0
        var fraction = 0
        if reader.take(0x3A) {
            guard let value = reader.number(digits: 2) else { return nil }
            second = value
            if reader.take(0x2E) {
                guard let value = reader.fraction(digits: 6) else { return nil }
                fraction = value
            }
        }
        guard let offset = reader.zoneOffset(), reader.isAtEnd,
            let civil = CivilTime(
                year: year, month: month, day: day, hour: hour, minute: minute, second: second)
        else { return nil }
        microseconds =
            (civil.secondsSinceEpoch - Int64(offset)) * 1_000_000 + Int64(fraction)
    }
}

/// Reads fixed runs of ASCII digits.
private struct DigitReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }

    mutating func take(_ byte: UInt8) -> Bool {
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    mutating func digit() -> Int? {
        guard position < bytes.count, (0x30...0x39).contains(bytes[position]) else { return nil }
        position += 1
        return Int(bytes[position - 1] - 0x30)
    }

    mutating func number(digits: Int) -> Int? {
        var value = 0
        for _ in 0..<digits {
            guard let digit = digit() else { return nil }
            value = value * 10 + digit
        }
        return value
    }

    mutating func fraction(digits: Int) -> Int? {
        var value = 0
        var count = 0
        while let digit = digit() {
            if count < digits { value = value * 10 + digit }
            count += 1
        }
        guard count > 0 else { return nil }
        while count < digits {
            value *= 10
            count += 1
        }
        return value
    }

    /// Seconds east of UTC.
    mutating func zoneOffset() -> Int? {
        if take(0x5A) { return 0 }
        let sign = take(0x2B) ? 1 : take(0x2D) ? -1 : 0
        guard sign != 0, let hours = number(digits: 2), hours <= 23 else { return nil }
        _ = take(0x3A)
        guard let minutes = number(digits: 2), minutes <= 59 else { return nil }
        return sign * (hours * 3600 + minutes * 60)
    }
}
