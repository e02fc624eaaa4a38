// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Glibc
import Testing

@testable import AicoCommands

/// `aico schedule next --stdin`, line for line.
struct ScheduleAnswersTests {
    private final class Sink {
        var text = ""
    }

    /// Answers an input that comes in chunks of so many bytes.
    private func answers(_ input: String, chunk: Int = .max) throws -> [String] {
        let sink = Sink()
        var answers = ScheduleAnswers(now: { CommandRun.now }) { bytes in
            sink.text += String(decoding: bytes, as: UTF8.self)
            bytes.removeAll()
        }
        var rest = Array(input.utf8)[...]
        while !rest.isEmpty {
            try rest.prefix(chunk).withUnsafeBytes { try answers.take($0) }
            rest = rest.dropFirst(chunk)
        }
        try answers.finish()
        return sink.text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
            .map(String.init)
    }

    struct Line: Sendable, CustomTestStringConvertible {
        let question: String
        let answer: String
        var testDescription: String { question }
    }

    private static let lines = [
        Line(
            question: #"{"expr":"0 2 * * *","tz":"Europe/Berlin","count":2}"#,
            answer: #"{"next":["2026-01-16T01:00:00Z","2026-01-17T01:00:00Z"]}"#),
        Line(
            question: #"{"expr":"@hourly","after":"2025-01-15T10:00:00Z"}"#,
            answer: #"{"next":["2025-01-15T11:00:00Z"]}"#),
        Line(
            question: #"{"expr":"@daily","tz":null,"after":null,"count":null}"#,
            answer: #"{"next":["2026-01-16T00:00:00Z"]}"#),
        Line(
            question: #"{"expr":"interval:90","count":2}"#,
            answer: #"{"next":["2026-01-15T10:01:30Z","2026-01-15T10:03:00Z"]}"#),
        Line(
            question: #"{"expr":"at:2026-02-01T00:00:00Z","count":3}"#,
            answer: #"{"next":["2026-02-01T00:00:00Z"]}"#),
        Line(question: #"{"expr":"at:2025-01-01T00:00:00Z"}"#, answer: #"{"next":[]}"#),
        Line(question: #"{"expr":"0 0 30 2 *"}"#, answer: #"{"next":[]}"#),
        Line(question: #"{"expr":"@reboot"}"#, answer: #"{"next":[]}"#),
        Line(question: #"{"expr":"@daily","count":0}"#, answer: #"{"next":[]}"#),
    ]

    private static let faults = [
        "", "nonsense", "[]", "7", #"{"expr":"0 2 * * *""#, "{}", #"{"expr":5}"#,
        #"{"expr":"61 * * * *"}"#, #"{"expr":"@daily","tz":"Europe/Berln"}"#,
        #"{"expr":"@daily","tz":5}"#, #"{"expr":"@daily","after":"tomorrow"}"#,
        #"{"expr":"@daily","count":-1}"#, #"{"expr":"@daily","count":1.5}"#,
        #"{"expr":"@daily","timezone":"UTC"}"#, #"{"expr":"at:soon"}"#,
        #"{"expr":"@daily","tz":"../../etc/passwd"}"#,
    ]

    @Test(arguments: lines)
    func aQuestionIsAnswered(line: Line) throws {
        #expect(try answers(line.question + "\n") == [line.answer])
    }

    @Test(arguments: faults)
    func aBadLineGetsItsErrorAndNothingElse(line: String) throws {
        let good = Self.lines[0]
        let found = try answers("\(good.question)\n\(line)\n\(good.question)\n")
        try #require(found.count == 3)
        #expect(found[0] == good.answer)
        let error = try JSONValue.parse(found[1])
        #expect(error.object?.count == 1)
        #expect(error["error"]?.string?.isEmpty == false)
        #expect(found[2] == good.answer)
    }

    @Test(arguments: [
        (
            #"{"expr":"61 * * * *"}"#,
            #"cannot read minute "61": the largest is 59; write 0 to 59"#
        ),
        (#"{"expr":"@daily","timezone":"UTC"}"#, #"unknown member "timezone"; write "tz""#),
        (
            #"{"expr":"@daily","count":-1}"#,
            #""count" must be a whole number from 0 to 1000000"#
        ),
    ])
    func errorsSayWhatToWrite(line: String, expected: String) throws {
        let error = try JSONValue.parse(try #require(try answers(line + "\n").first))
        #expect(error["error"]?.string == expected)
    }

    @Test(arguments: [1, 2, 7, 64])
    func chunksMayEndAnywhere(chunk: Int) throws {
        let input = Self.lines.map(\.question).joined(separator: "\n")
        #expect(try answers(input, chunk: chunk) == Self.lines.map(\.answer))
    }

    @Test(arguments: [100, 1 << 20])
    func aLineWithoutEndIsRefusedOnceAndSkipped(chunk: Int) throws {
        let long = String(repeating: "x", count: ScheduleAnswers.maximumLine * 3)
        let good = Self.lines[0]
        let found = try answers("\(long)\n\(good.question)\n", chunk: chunk)
        #expect(
            found == [
                #"{"error":"the line is longer than 65536 bytes"}"#, good.answer,
            ])
    }

    @Test func whatSteersATerminalLeavesAnErrorEscaped() throws {
        let found = try answers("{\"expr\":\"\u{9B}2J\u{202E} * * * *\"}")
        let line = try #require(found.first)
        #expect(PlainText(line).text == line)
        #expect(try JSONValue.parse(line)["error"]?.string?.contains("\u{9B}2J") == true)
    }

    @Test func outputThatCannotBeWrittenEndsIt() {
        var answers = ScheduleAnswers(now: { CommandRun.now }) { (_) throws(Failure) in
            throw ErrorMessages.unwritable(StandardStream.Fault(number: ENOSPC))
        }
        let error = #expect(throws: Failure.self) {
            try Array("{\"expr\":\"@daily\"}\n".utf8).withUnsafeBytes { try answers.take($0) }
        }
        #expect(error?.status == .failed)
    }

    @Test func manyTimesComeWhole() throws {
        let found = try answers(#"{"expr":"* * * * * *","count":100000}"#)
        let line = Array(try #require(found.first).utf8)
        let times = try JSONValue.parse(line, maximumBytes: 1 << 24)
        #expect(times["next"]?.array?.count == 100_000)
        #expect(times["next"]?.array?.last == "2026-01-16T13:46:40Z")
    }
}
