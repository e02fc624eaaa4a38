// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoWire
import Glibc
import Testing

@testable import AicoSupervisor

/// A worker's standard error over a real pipe; the test is the worker.
@Suite struct LastWordsTests {
    let words: LastWords
    let output: OwnedDescriptor

    init() throws { (words, output) = try LastWords.pipe() }

    private func say(_ text: String) throws {
        let bytes = Array(text.utf8)
        try #require(write(output.number, bytes, bytes.count) == bytes.count)
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
        let (words, output) = try LastWords.pipe()
        let writer = dup(output.number)
        try #require(write(writer, "x", 1) == 1)
        close(writer)
        try #require(dup2(open("/dev/null", O_WRONLY), output.number) == output.number)
        words.take()
        #expect(words.number >= 0)
        words.take()
        #expect(words.number == -1)
        #expect(words.finish() == Array("x".utf8))
    }

    @Test func neitherEndOutlivesAnExec() {
        for number in [words.number, output.number] {
            #expect(fcntl(number, F_GETFD) & FD_CLOEXEC != 0)
        }
    }
}
