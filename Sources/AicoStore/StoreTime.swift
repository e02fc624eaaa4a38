// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore

/// The one text form of instants in the store: `2025-01-15T10:00:00.000000Z`.
///
/// Always with six digits after the point, so that texts sort as instants do and SQL can compare
/// them (`...:00.5Z` would sort before `...:00Z`).
enum StoreTime {
    static func text(_ instant: Instant) -> String {
        let seconds = instant.seconds
        let civil = CivilTime(secondsSinceEpoch: seconds)
        let fraction = Int(instant.microseconds - seconds * 1_000_000)
        return String(unsafeUninitializedCapacity: 27) { buffer in
            var position = 0
            func put(_ byte: UInt8) {
                buffer.initializeElement(at: position, to: byte)
                position += 1
            }
            func put(_ value: Int, digits: Int) {
                var divisor = 1
                for _ in 1..<digits { divisor *= 10 }
                while divisor > 0 {
                    put(0x30 + UInt8(value / divisor % 10))
                    divisor /= 10
                }
            }
            put(civil.year, digits: 4)
            put(0x2D)
            put(civil.month, digits: 2)
            put(0x2D)
            put(civil.day, digits: 2)
            put(0x54)
            put(civil.hour, digits: 2)
            put(0x3A)
            put(civil.minute, digits: 2)
            put(0x3A)
            put(civil.second, digits: 2)
            put(0x2E)
            put(fraction, digits: 6)
            put(0x5A)
            return position
        }
    }

    static func text(_ instant: Instant?) -> String? {
        guard let instant else { return nil }
        return text(instant)
    }

    static func instant(_ text: String) -> Instant? { Instant(iso8601: text) }
}
