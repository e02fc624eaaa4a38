// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// SplitMix64: the same values for the same seed, on every machine.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }

    /// A seed to print, so that a failing run can be repeated.
    static func printedSeed(_ name: String) -> UInt64 {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("\(name): seed \(seed)")
        return seed
    }

    mutating func bytes(upTo limit: Int) -> [UInt8] {
        (0..<Int.random(in: 0...limit, using: &self)).map { _ in
            UInt8.random(in: 0...255, using: &self)
        }
    }

    mutating func text(upTo limit: Int) -> String {
        let alphabet: [Character] = [
            "a", "Z", "0", ".", " ", "\"", "\\", "\n", "\0", "é", "日", "🦉",
        ]
        return String(
            (0..<Int.random(in: 0...limit, using: &self)).map { _ in
                alphabet[Int.random(in: 0..<alphabet.count, using: &self)]
            })
    }

    mutating func integer<Value: FixedWidthInteger>(_: Value.Type = Value.self) -> Value {
        switch UInt8.random(in: 0..<4, using: &self) {
        case 0: Value.min
        case 1: Value.max
        default: Value.random(in: Value.min...Value.max, using: &self)
        }
    }

    mutating func duration() -> Duration {
        .nanoseconds(Int64.random(in: 0...Int64.max, using: &self))
    }

    mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[Int.random(in: 0..<elements.count, using: &self)]
    }
}
