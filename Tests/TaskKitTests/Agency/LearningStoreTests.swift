// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Foundation
import GRDB
import TaskKit
import Testing

@testable import AgencyTasks

@Suite struct LearningStoreTests {
    @Test func onlyTheMostFrequentTermsStay() throws {
        let scratch = try LearningScratch()
        let often = (0..<60).map { "often\($0) often\($0)" }.joined(separator: " ")
        let rare = (0..<500).map { "rare\($0)" }.joined(separator: " ")
        try scratch.write(
            "a.jsonl", #"{"text":"\#(rare)"}"# + "\n" + #"{"text":"\#(often)"}"# + "\n")
        let report = try scratch.learn(["max_terms": 100])
        #expect(report.distinctTerms == 100)
        #expect(report.terms == 620)
        let terms = try scratch.counts().terms
        #expect(terms.count == 100)
        #expect(terms.filter { $0.value == 2 }.count == 60)
    }

    @Test func checkpointsOfFilesThatAreGoneGoToo() throws {
        let scratch = try LearningScratch()
        for name in ["a.jsonl", "b.jsonl"] { try scratch.write(name, #"{"text":"xx"}"# + "\n") }
        try scratch.learn()
        #expect(unlink(scratch.interactions + "/a.jsonl") == 0)
        try scratch.learn()
        let names = try DatabaseQueue(path: scratch.database).read {
            try String.fetchAll($0, sql: "SELECT name FROM checkpoints")
        }
        #expect(names == ["b.jsonl"])
    }

    @Test func nobodyElseMayReadTheCounts() throws {
        let scratch = try LearningScratch()
        try scratch.learn()
        var status = stat()
        #expect(lstat(scratch.database, &status) == 0)
        #expect(status.st_mode & 0o7777 == 0o600)
        // No journal is left beside it.
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: scratch.learning)
                == [LearningLock.fileName])
    }

    @Test func twoRunsAtOnceDoNotLearnTwice() throws {
        let scratch = try LearningScratch()
        let lock = try LearningLock(directory: scratch.learning)
        defer { withExtendedLifetime(lock) {} }
        #expect {
            try scratch.learn()
        } throws: { error in
            guard let failure = error as? TaskFailure else { return false }
            return !failure.isPermanent && failure.message.contains("another run")
        }
    }

    @Test func aDamagedFileIsAPermanentFailure() throws {
        let scratch = try LearningScratch()
        try Data(String(repeating: "no database ", count: 100).utf8)
            .write(to: URL(fileURLWithPath: scratch.database))
        #expect {
            try scratch.learn()
        } throws: {
            ($0 as? TaskFailure)?.isPermanent == true
        }
    }

    @Test(arguments: [
        ("offset", Int64.min), ("offset", -1), ("head_bytes", -1), ("head_bytes", 4097),
        ("head_bytes", Int64.max),
    ]) func aCheckpointThatNoRunWroteIsAPermanentFailure(column: String, value: Int64) throws {
        let scratch = try LearningScratch()
        try scratch.write("a.jsonl", #"{"text":"xx"}"# + "\n")
        try scratch.learn()
        try DatabaseQueue(path: scratch.database).write {
            try $0.execute(sql: "UPDATE checkpoints SET \(column) = ?", arguments: [value])
        }
        #expect {
            try scratch.learn()
        } throws: { error in
            guard let failure = error as? TaskFailure else { return false }
            return failure.isPermanent
                && failure.message.contains("\"a.jsonl\" has \(value) as \(column)")
        }
    }

    @Test func countsOfANewerVersionAreLeftAlone() throws {
        let scratch = try LearningScratch()
        try scratch.learn()
        try DatabaseQueue(path: scratch.database).write {
            try $0.execute(sql: "PRAGMA user_version = 2")
        }
        #expect {
            try scratch.learn()
        } throws: { error in
            guard let failure = error as? TaskFailure else { return false }
            return failure.isPermanent && failure.message.contains("version 2")
        }
    }
}
