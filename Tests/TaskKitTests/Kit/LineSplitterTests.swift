// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Testing

@testable import TaskKit

struct LineSplitterTests {
    /// Its lines where the bytes come in portions of `size`.
    private func lines(_ bytes: [UInt8], portions size: Int) -> [String] {
        var splitter = LineSplitter()
        var lines: [String] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            lines += splitter.feed(bytes[start..<min(start + size, bytes.count)])
        }
        return lines + (splitter.finish().map { [$0] } ?? [])
    }

    @Test(arguments: [1, 2, 3, 7, 100]) func linesAreCompletedAcrossReads(portion: Int) {
        #expect(
            lines(Array("one\ntwo\r\n\nthree".utf8), portions: portion)
                == ["one", "two", "", "three"])
        #expect(lines(Array("one\n".utf8), portions: portion) == ["one"])
    }

    @Test func nothingIsLeftAfterTheEnd() {
        var splitter = LineSplitter()
        #expect(splitter.feed([0x61]) == [])
        #expect(splitter.finish() == "a")
        #expect(splitter.finish() == nil)
    }

    @Test func invalidUTF8IsReplaced() {
        #expect(lines([0x61, 0xFF, 0x62, 0x0A], portions: 9) == ["a\u{FFFD}b"])
    }

    @Test(arguments: [1, 4096, 100_000]) func longLineIsCutAndSaysSo(portion: Int) {
        let text = String(repeating: "a", count: 70_000)
        #expect(
            lines(Array("\(text)\nnext\n".utf8), portions: portion) == [
                String(repeating: "a", count: LineSplitter.maximumBytes)
                    + " ... [cut: 70000 bytes]", "next",
            ])
    }

    @Test func cutIsAtTheEndOfACharacter() {
        let text = "x" + String(repeating: "é", count: 10_000)
        let line = lines(Array(text.utf8), portions: 4096)[0]
        #expect(line.hasSuffix("é ... [cut: 20001 bytes]") && !line.contains("\u{FFFD}"))
        #expect(line.utf8.count <= LineSplitter.maximumBytes + 32)
    }

    @Test(arguments: [0x80, 0xC3, 0xFF] as [UInt8]) func bytesThatAreNoTextAreCutToo(byte: UInt8) {
        let line = lines(Array(repeating: byte, count: 20_000), portions: 4096)
        #expect(line.count == 1 && line[0].hasSuffix(" ... [cut: 20000 bytes]"))
        // What a report can carry.
        #expect(line[0].utf8.count <= 64 * 1024)
    }

    @Test(arguments: [0, 1, 2]) func lineOfExactlyTheLimitIsWhole(over: Int) {
        let text = String(repeating: "a", count: LineSplitter.maximumBytes)
        let more = String(repeating: "b", count: over)
        let line = lines(Array("\(text)\(more)\n".utf8), portions: 1000)
        let count = LineSplitter.maximumBytes + over
        #expect(line == [over == 0 ? text : "\(text) ... [cut: \(count) bytes]"])
    }
}
