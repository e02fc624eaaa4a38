// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoWire
import Glibc
import Testing

@testable import AicoSupervisor

/// A worker's standard error over a real pipe; the test is the worker.
@Suite struct LastWordsTests {
    let words: LastWords

    init() throws { words = try LastWords() }

    private func say(_ text: String) throws {
        let bytes = Array(text.utf8)
        try #require(write(words.output, bytes, bytes.count) == bytes.count)
    }

    @Test func theEndOfAllIsKept() throws {
        try say("first\n")
        words.take()
        try say(String(repeating: "x", count: 9000) + "\nthe end")
        let kept = words.finish()
        #expect(kept.count == SupervisorMessage.maximumWords)
        #expect(String(decoding: kept, as: UTF8.self).hasSuffix("xxx\nthe end"))
    }

    @Test func nothingSaidIsNoWordsAndBlocksNobody() {
        words.take()
        #expect(words.finish() == [])
    }

    /// A process that has left the worker's group may hold the pipe for ever.
    @Test func anOpenEndElsewhereHoldsNobody() throws {
        try say("said")
        #expect(words.finish() == Array("said".utf8))
        #expect(words.number >= 0)
    }

    @Test func aClosedPipeIsNotWatchedOn() throws {
        let words = try LastWords()
        try #require(write(words.output, "x", 1) == 1)
        words.closeOutput()
        #expect(words.output == -1)
        words.take()
        #expect(words.number >= 0)
        words.take()
        #expect(words.number == -1)
        #expect(words.finish() == Array("x".utf8))
    }

    @Test func neitherEndOutlivesAnExec() {
        for number in [words.number, words.output] {
            #expect(fcntl(number, F_GETFD) & FD_CLOEXEC != 0)
        }
    }
}
