// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Draws that a seed decides: splitmix64.
struct Randomness: Sendable {
    private var state: UInt64

    init(_ words: UInt64...) {
        state = words.reduce(0x51_7C_C1_B7_27_22_0A_95) { Self.mixed($0, with: $1) }
    }

    static func mixed(_ state: UInt64, with word: UInt64) -> UInt64 {
        scrambled((state ^ word) &+ 0x9E37_79B9_7F4A_7C15)
    }

    private static func scrambled(_ input: UInt64) -> UInt64 {
        var word = input
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return Self.scrambled(state)
    }

    /// A number from 0 up to `count`, not included.
    mutating func below(_ count: Int) -> Int { Int(next() % UInt64(max(1, count))) }

    /// A time between two, both included.
    mutating func time(_ least: Span, _ most: Span) -> Span {
        Span(
            least.microseconds
                + Int64(next() % UInt64(max(1, most.microseconds - least.microseconds + 1))))
    }

    /// True in so many of a hundred cases.
    mutating func percent(_ chance: Double) -> Bool {
        Double(next() >> 11) / Double(1 << 53) * 100 < chance
    }

    mutating func pick<Elements: RandomAccessCollection>(_ elements: Elements) -> Elements.Element {
        elements[elements.index(elements.startIndex, offsetBy: below(elements.count))]
    }
}

/// Virtual time or a length of it, in microseconds: cheaper than `Duration` where millions are
/// compared.
struct Span: Sendable, Hashable, Comparable, CustomStringConvertible {
    var microseconds: Int64

    init(_ microseconds: Int64) { self.microseconds = microseconds }

    static let zero = Span(0)
    static let never = Span(.max / 4)

    static func milliseconds(_ count: Int64) -> Span { Span(count * 1000) }
    static func seconds(_ count: Int64) -> Span { Span(count * 1_000_000) }
    static func minutes(_ count: Int64) -> Span { Span(count * 60_000_000) }
    static func hours(_ count: Int64) -> Span { Span(count * 3_600_000_000) }

    static func < (left: Span, right: Span) -> Bool { left.microseconds < right.microseconds }
    static func + (left: Span, right: Span) -> Span { Span(left.microseconds + right.microseconds) }
    static func - (left: Span, right: Span) -> Span { Span(left.microseconds - right.microseconds) }

    var duration: Duration { .microseconds(microseconds) }

    var description: String {
        let (sign, size) = microseconds < 0 ? ("-", -microseconds) : ("", microseconds)
        let seconds = Double(size) / 1_000_000
        if seconds < 60 { return "\(sign)\(seconds) s" }
        let whole = size / 1_000_000
        func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(sign)\(whole / 3600):\(two(whole / 60 % 60)):\(two(whole % 60))"
    }
}

extension Duration {
    var span: Span {
        Span(components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000)
    }
}

/// Sums up all that happened, in order: the same seed must give the same.
package struct TraceHash: Sendable, Hashable, CustomStringConvertible {
    private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    init() {}

    mutating func mix(_ word: UInt64) {
        value = (value ^ word) &* 0x0000_0100_0000_01B3
        value ^= value >> 29
    }

    mutating func mix(_ number: Int64) { mix(UInt64(bitPattern: number)) }
    mutating func mix(_ number: Int) { mix(UInt64(bitPattern: Int64(number))) }

    mutating func mix(_ text: String) {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        mix(hash)
    }

    /// Sixteen hexadecimal digits.
    package var description: String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
