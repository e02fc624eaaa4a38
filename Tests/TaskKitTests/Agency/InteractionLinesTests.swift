// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Testing

@testable import AgencyTasks

@Suite struct InteractionLinesTests {
    private typealias Piece = InteractionLines.Piece

    private static func line(_ text: String) -> Piece { .line(Array(text.utf8)) }

    @Test func linesEndAtTheirNewlineAndTheRestWaits() {
        var lines = InteractionLines(maximumBytes: 100)
        #expect(lines.feed(Array("ab\ncd".utf8)) == [Self.line("ab")])
        #expect(lines.offset == 3)
        #expect(lines.feed(Array("e\n\n \r\nf".utf8)) == [Self.line("cde")])
        #expect(lines.offset == 11)
        #expect(!lines.isSkipping)
    }

    @Test func aLineOfTheLimitIsNotTooLong() {
        var lines = InteractionLines(maximumBytes: 4)
        #expect(
            lines.feed(Array("abcd\nabcde\nx\n".utf8)) == [
                Self.line("abcd"), .tooLong, Self.line("x"),
            ])
        #expect(lines.offset == 13)
    }

    @Test func aLineWithoutEndIsSaidOnceAndLeftBehind() {
        var lines = InteractionLines(maximumBytes: 4)
        #expect(lines.feed(Array("abcde".utf8)) == [.tooLong])
        #expect(lines.feed(Array("fghij".utf8)).isEmpty)
        #expect(lines.offset == 10)
        #expect(lines.isSkipping)
        var resumed = InteractionLines(maximumBytes: 4, offset: 10, isSkipping: true)
        #expect(resumed.feed(Array("k\nxy\n".utf8)) == [Self.line("xy")])
        #expect(!resumed.isSkipping)
        #expect(resumed.offset == 15)
    }

    /// However a file is read in parts and runs, its pieces are those of one read.
    @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64])
    func partsAndRestartsChangeNothing(seed: UInt64) {
        var generator = SplitMix(state: seed)
        for _ in 0..<200 {
            let alphabet = Array("aaab \n".utf8)
            let bytes = (0..<Int.random(in: 0...80, using: &generator)).map { _ in
                alphabet[Int.random(in: 0..<alphabet.count, using: &generator)]
            }
            var whole = InteractionLines(maximumBytes: 6)
            let expected = whole.feed(bytes)
            var parts = InteractionLines(maximumBytes: 6)
            var pieces: [Piece] = []
            var position = 0
            while position < bytes.count {
                let end = min(
                    bytes.count, position + Int.random(in: 1...9, using: &generator))
                pieces += parts.feed(Array(bytes[position..<end]))
                position = end
                if Bool.random(using: &generator) {
                    parts = InteractionLines(
                        maximumBytes: 6, offset: parts.offset, isSkipping: parts.isSkipping)
                    position = Int(parts.offset)
                }
            }
            #expect(pieces == expected)
            #expect(parts.offset == whole.offset)
            #expect(parts.isSkipping == whole.isSkipping)
        }
    }

    /// Steele, Lea and Flood's SplitMix64.
    private struct SplitMix: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }
}
