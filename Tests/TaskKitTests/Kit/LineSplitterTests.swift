// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Testing

@testable import UserTasks

struct LineSplitterTests {
    @Test func linesAreCompletedAcrossReads() {
        var splitter = LineSplitter()
        #expect(splitter.take("one\ntw".utf8) == ["one"])
        #expect(splitter.take("o\r\n\nthree".utf8) == ["two", ""])
        #expect(splitter.finish() == "three")
        #expect(splitter.finish() == nil)
    }

    @Test func invalidUTF8IsReplaced() {
        var splitter = LineSplitter()
        #expect(splitter.take([0x61, 0xFF, 0x62, 0x0A]) == ["a\u{FFFD}b"])
    }

    @Test func longLineIsCutAtACharacter() {
        var splitter = LineSplitter()
        let lines =
            splitter.take(("x" + String(repeating: "é", count: 5000)).utf8)
            + [splitter.finish() ?? ""]
        #expect(lines.count == 2)
        #expect(lines.joined() == "x" + String(repeating: "é", count: 5000))
        #expect(lines.allSatisfy { $0.utf8.count <= LineSplitter.maximumBytes })
    }

    @Test func bytesThatAreNoTextAreCutToo() {
        var splitter = LineSplitter()
        let lines = splitter.take(Array(repeating: 0x80, count: 20_000))
        #expect(lines.count == 2)
        let leading = splitter.take(Array(repeating: 0xC3, count: 20_000))
        #expect(!leading.isEmpty)
    }

    @Test func plainLineOfExactlyTheLimitIsWhole() {
        var splitter = LineSplitter()
        let text = String(repeating: "a", count: LineSplitter.maximumBytes)
        #expect(splitter.take((text + "\n").utf8) == [text])
    }
}
