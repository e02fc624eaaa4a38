// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// The one source of chance of an episode: splitmix64.
struct RandomSource: Sendable {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }

    /// A number of the range, each as likely.
    mutating func int(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + Int(next() % UInt64(range.upperBound - range.lowerBound + 1))
    }

    /// A number of the range, small ones as likely as large ones.
    mutating func skewed(_ range: ClosedRange<Int64>) -> Int64 {
        let width = UInt64(range.upperBound - range.lowerBound + 1)
        let bits = int(0...max(0, 63 - width.leadingZeroBitCount))
        return range.lowerBound + Int64(next() % min(width, 1 << UInt64(bits + 1)) )
    }

    /// Whether something that happens so many times in a thousand does.
    mutating func chance(_ perMille: Int) -> Bool { int(0...999) < perMille }

    mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[int(0...elements.count - 1)]
    }
}

/// A hash of a sequence of words: the same words in the same order, the same hash.
public struct TraceHash: Sendable, Equatable {
    public private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    public init() {}

    public mutating func add(_ word: UInt64) {
        value = (value ^ word) &* 0x0000_0100_0000_01B3
        value ^= value >> 29
    }

    mutating func add(_ number: Int) { add(UInt64(bitPattern: Int64(number))) }

    mutating func add(_ text: String) {
        for byte in text.utf8 { value = (value ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        add(UInt64(text.utf8.count))
    }
}
