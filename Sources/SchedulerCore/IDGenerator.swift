// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Draws ids that look random from a seed: lower-case UUIDs (version 4).
///
/// The stream is splitmix64's over two words, so that two schedulers do not draw the same.
struct IDGenerator: Sendable {
    private var state: (UInt64, UInt64)

    init(seed: (UInt64, UInt64)) { state = seed }

    mutating func next() -> String {
        let digits = Array("0123456789abcdef".utf8)
        let words = [Self.step(&state.0), Self.step(&state.1)]
        return String(unsafeUninitializedCapacity: 36) { buffer in
            var position = 0
            for index in 0..<16 {
                if index == 4 || index == 6 || index == 8 || index == 10 {
                    buffer.initializeElement(at: position, to: 0x2D)
                    position += 1
                }
                var byte = UInt8(truncatingIfNeeded: words[index / 8] >> UInt64(index % 8 * 8))
                if index == 6 { byte = byte & 0x0F | 0x40 }
                if index == 8 { byte = byte & 0x3F | 0x80 }
                buffer.initializeElement(at: position, to: digits[Int(byte >> 4)])
                buffer.initializeElement(at: position + 1, to: digits[Int(byte & 15)])
                position += 2
            }
            return position
        }
    }

    private static func step(_ state: inout UInt64) -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}
