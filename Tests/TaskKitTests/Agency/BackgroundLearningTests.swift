// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Foundation
import TaskKit
import Testing

@testable import AgencyTasks

@Suite struct BackgroundLearningTests {
    @Test func termsAndActivityAreCounted() async throws {
        let scratch = try LearningScratch()
        try scratch.write(
            "a.jsonl",
            """
            {"time":"2025-01-15T10:00:00Z","text":"The cat sat"}
            {"time":"2025-01-15T10:59:59Z","text":"the hat"}

            {"time":"2025-01-19T23:30:00Z"}
            """ + "\n")
        try scratch.write("b.jsonl", #"{"content":"Cat!"}"# + "\n")
        try scratch.write("notes.txt", #"{"text":"not ours"}"# + "\n")
        let result = try await TaskRecorder().run(
            BackgroundLearning.self, config: scratch.config(["timezone": "Europe/Berlin"]))
        let counts = try scratch.counts()
        #expect(counts.terms == ["the": 2, "cat": 2, "sat": 1, "hat": 1])
        #expect(counts.activity == ["Europe/Berlin 3 11": 2, "Europe/Berlin 1 0": 1])
        let bytes = try scratch.size("a.jsonl") + scratch.size("b.jsonl")
        #expect(counts.totals == ["lines": 4, "skipped": 0, "terms": 6, "bytes": bytes])
        #expect(
            result == [
                "files": 2, "lines": 4, "skipped": 0, "terms": 6, "distinct_terms": 4,
                "bytes": .int(bytes), "bytes_left": 0, "refused": 0, "stopped": "finished",
            ])
    }

    @Test func aSecondRunCountsOnlyWhatIsNew() throws {
        let scratch = try LearningScratch()
        try scratch.write("a.jsonl", #"{"text":"one"}"# + "\n")
        try scratch.learn()
        #expect(try scratch.learn() == LearningReport(distinctTerms: 1))
        try scratch.append("a.jsonl", #"{"text":"one two"}"# + "\n")
        try scratch.write("b.jsonl", #"{"text":"two"}"# + "\n")
        let report = try scratch.learn()
        #expect(report.files == 2 && report.lines == 2 && report.terms == 3)
        #expect(try scratch.counts().terms == ["one": 2, "two": 2])
    }

    @Test func anUnfinishedLastLineWaitsForTheNextRun() throws {
        let scratch = try LearningScratch()
        try scratch.write("a.jsonl", #"{"text":"one"}"# + "\n" + #"{"text":"t"#)
        let report = try scratch.learn()
        #expect(report.lines == 1 && report.skipped == 0 && report.bytesLeft == 10)
        #expect(report.stopped == .finished)
        try scratch.append("a.jsonl", #"wo"}"# + "\n")
        #expect(try scratch.learn().lines == 1)
        #expect(try scratch.counts().terms == ["one": 1, "two": 1])
    }

    @Test func linesThatAreNoInteractionsAreCountedAndNamed() throws {
        let scratch = try LearningScratch()
        let long = #"{"text":"\#(String(repeating: "long ", count: 1000))"}"#
        try scratch.write(
            "a.jsonl", "no json\n{}\n\(long)\n{\"text\":\"one\"}\n\u{FF}\n[1]\n{\"text\":\"one\"}\n"
        )
        let recorder = TaskRecorder()
        let report = try scratch.learn(
            ["max_line_kb": 1], recorder: recorder, limit: BatchLimit(lines: 2, chunkBytes: 100))
        #expect(report.lines == 7 && report.skipped == 5 && report.terms == 2)
        #expect(try scratch.counts().terms == ["one": 2])
        #expect(
            recorder.lines.contains {
                $0.stream == .warning && $0.text.contains("a.jsonl") && $0.text.contains("5 lines")
            })
    }

    @Test func aLineWithoutEndIsReadOnce() throws {
        let scratch = try LearningScratch()
        try scratch.write("a.jsonl", String(repeating: "x", count: 5000))
        var report = try scratch.learn(["max_line_kb": 1])
        #expect(report.skipped == 1 && report.bytes == 5000 && report.bytesLeft == 0)
        try scratch.append("a.jsonl", String(repeating: "x", count: 3000))
        report = try scratch.learn(["max_line_kb": 1])
        #expect(report.skipped == 0 && report.bytes == 3000)
        try scratch.append("a.jsonl", "\n" + #"{"text":"one"}"# + "\n")
        #expect(try scratch.learn(["max_line_kb": 1]).lines == 1)
        #expect(try scratch.counts().terms == ["one": 1])
    }

    @Test(arguments: ["shorter", "of the same length", "longer, much longer than it was"])
    func aFileWithAnotherContentIsReadFromItsBeginning(text: String) throws {
        let scratch = try LearningScratch()
        try scratch.write("a.jsonl", #"{"text":"of the best length"}"# + "\n")
        try scratch.learn()
        let recorder = TaskRecorder()
        try scratch.overwrite("a.jsonl", #"{"text":"\#(text)"}"# + "\n")
        #expect(try scratch.learn(recorder: recorder).lines == 1)
        #expect(recorder.lines.contains { $0.text.contains("another than it was") })
        #expect(try scratch.learn().lines == 0)
        #expect(try scratch.counts().totals["lines"] == 2)
    }

    @Test func aFileThatIsEmptiedIsForgottenAtOnce() throws {
        let scratch = try LearningScratch()
        try scratch.write("a.jsonl", #"{"text":"one"}"# + "\n")
        try scratch.learn()
        try scratch.overwrite("a.jsonl", "")
        #expect(try scratch.learn().lines == 0)
        try scratch.append("a.jsonl", #"{"text":"one"}"# + "\n")
        #expect(try scratch.learn().lines == 1)
    }

    @Test func anotherFileInItsPlaceIsReadFromItsBeginning() throws {
        let scratch = try LearningScratch()
        try scratch.write("a.jsonl", #"{"text":"one"}"# + "\n")
        try scratch.learn()
        try scratch.write("a.jsonl", #"{"text":"one"}"# + "\n" + #"{"text":"two"}"# + "\n")
        #expect(try scratch.learn().lines == 2)
        #expect(try scratch.counts().terms == ["one": 2, "two": 1])
    }

    @Test func aFileThatGetsAnotherNameIsNotCountedAgain() throws {
        let scratch = try LearningScratch()
        let (old, new) = (scratch.interactions + "/a.jsonl", scratch.interactions + "/b.jsonl")
        try scratch.write("a.jsonl", #"{"text":"one"}"# + "\n")
        try scratch.learn()
        #expect(rename(old, new) == 0)
        try scratch.write("a.jsonl", #"{"text":"two"}"# + "\n")
        #expect(try scratch.learn().lines == 1)
        #expect(try scratch.counts().terms == ["one": 1, "two": 1])
    }

    @Test func aFileWithTwoNamesIsOneFile() throws {
        let scratch = try LearningScratch()
        try scratch.write("a.jsonl", #"{"text":"one"}"# + "\n")
        #expect(link(scratch.interactions + "/a.jsonl", scratch.interactions + "/b.jsonl") == 0)
        let report = try scratch.learn()
        #expect(report.files == 1 && report.lines == 1 && report.refused == 0)
        #expect(try scratch.counts().terms == ["one": 1])
    }

    @Test func linksAndWhatIsNoFileAreNamedAndNotRead() throws {
        let scratch = try LearningScratch()
        try scratch.write("good.jsonl", #"{"text":"good"}"# + "\n")
        let outside = scratch.path + "/secret"
        try Data((#"{"text":"secret"}"# + "\n").utf8).write(to: URL(fileURLWithPath: outside))
        #expect(symlink(outside, scratch.interactions + "/link.jsonl") == 0)
        #expect(mkfifo(scratch.interactions + "/pipe.jsonl", 0o600) == 0)
        #expect(mkdir(scratch.interactions + "/dir.jsonl", 0o700) == 0)
        let recorder = TaskRecorder()
        let report = try scratch.learn(recorder: recorder)
        #expect(report.files == 1 && report.refused == 3)
        #expect(try scratch.counts().terms == ["good": 1])
        for name in ["link.jsonl", "pipe.jsonl", "dir.jsonl"] {
            #expect(
                recorder.lines.contains { $0.stream == .warning && $0.text.contains(name) })
        }
    }

    @Test(arguments: ["interactions", "learning"])
    func aLinkInPlaceOfADirectoryIsRefused(name: String) throws {
        let scratch = try LearningScratch()
        #expect(rename("\(scratch.path)/\(name)", scratch.path + "/moved") == 0)
        #expect(symlink(scratch.path + "/moved", "\(scratch.path)/\(name)") == 0)
        #expect(throws: TaskFailure.self) { try scratch.learn() }
    }

    @Test func aLinkInPlaceOfTheCountsIsRefused() throws {
        let scratch = try LearningScratch()
        #expect(symlink(scratch.path + "/elsewhere", scratch.database) == 0)
        #expect(throws: TaskFailure.self) { try scratch.learn() }
        #expect(!FileManager.default.fileExists(atPath: scratch.path + "/elsewhere"))
    }
}
