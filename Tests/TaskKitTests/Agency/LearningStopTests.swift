// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Foundation
import TaskKit
import Testing

@testable import AgencyTasks

/// Runs that end before the end: what they counted stays, and nothing is counted twice.
@Suite(.serialized) struct LearningStopTests {
    static let small = BatchLimit(lines: 5, duration: .seconds(3600), chunkBytes: 64)

    private static func filled() throws -> LearningScratch {
        let scratch = try LearningScratch()
        for file in 0..<3 {
            let lines = (0..<40).map { line in
                line % 9 == 5
                    ? "broken \(line)"
                    : #"{"time":\#(line * 3600),"text":"word\#(line % 7) file\#(file) word"}"#
            }
            try scratch.write("\(file).jsonl", lines.joined(separator: "\n") + "\n")
        }
        return scratch
    }

    /// What one undisturbed run learns of the same files.
    private static func expected() throws -> Counts {
        let scratch = try filled()
        #expect(try scratch.learn().stopped == .finished)
        let counts = try scratch.counts()
        #expect(counts.totals["lines"] == 120)
        #expect(counts.totals["skipped"] == 12)
        return counts
    }

    /// Files with holes, whose lengths together are in no Int64.
    @Test(.enabled(if: access("/dev/shm", W_OK) == 0, "needs a file system of any length"))
    func lengthsThatNobodyWroteEndNothing() throws {
        let scratch = try LearningScratch()
        let folder = "/dev/shm/aico-interactions-\(UInt64.random(in: 0...UInt64.max))"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for index in 1...3 {
            let file = "\(folder)/\(index).jsonl"
            close(creat(file, 0o600))
            #expect(truncate(file, Int.max & ~0xFFFF) == 0)
        }
        let report = try scratch.learn(
            ["interactions_path": .string(folder), "max_duration": 20],
            machine: FakeMachine(step: .seconds(30)).machine)
        #expect(report.stopped == .maximumDuration && report.bytesLeft == .max)
    }

    @Test func outOfTimeTheRestIsForTheNextRuns() throws {
        let scratch = try Self.filled()
        var reports: [LearningReport] = []
        let recorder = TaskRecorder()
        repeat {
            reports.append(
                try scratch.learn(
                    ["max_duration": 20], recorder: recorder,
                    machine: FakeMachine(step: .seconds(1)).machine, limit: Self.small))
        } while reports.last?.stopped == .maximumDuration && reports.count < 100
        #expect(reports.count > 3)
        #expect(reports.allSatisfy { $0.lines > 0 })
        #expect(reports.dropLast().allSatisfy { $0.bytesLeft > 0 })
        #expect(reports.last?.stopped == .finished)
        #expect(reports.last?.bytesLeft == 0)
        #expect(reports.reduce(0) { $0 + $1.lines } == 120)
        // Once a run.
        #expect(
            recorder.lines.count { $0.text.contains("out of time") } == reports.count - 1)
        #expect(try scratch.counts() == Self.expected())
    }

    @Test func onABusyMachineTheRestIsForTheNextRun() throws {
        let scratch = try Self.filled()
        let busy = FakeMachine(step: .seconds(1), load: 0)
        // Two more than the task itself on two processors, from the start on.
        busy.onLook = { busy.load = 3 * (1 - exp(-Double($0) / 60)) }
        let recorder = TaskRecorder()
        let first = try scratch.learn(
            recorder: recorder, machine: busy.machine, limit: Self.small)
        #expect(first.stopped == .busy)
        #expect(first.lines > 0 && first.bytesLeft > 0)
        #expect(recorder.lines.contains { $0.text.contains("% of the processors") })
        #expect(try scratch.counts().totals["lines"] == first.lines)
        let second = try scratch.learn()
        #expect(second.stopped == .finished)
        #expect(first.lines + second.lines == 120)
        #expect(try scratch.counts() == Self.expected())
    }

    @Test(arguments: [(100, 2.9), (20, 1.0)])
    func whatIsBelowTheLimitDoesNotStopIt(limit: Int, running: Double) throws {
        let scratch = try Self.filled()
        let busy = FakeMachine(step: .seconds(1), load: 0)
        busy.onLook = { busy.load = running * (1 - exp(-Double($0) / 60)) }
        let report = try scratch.learn(
            ["busy_cpu_percent": .int(limit)], machine: busy.machine, limit: Self.small)
        #expect(report.stopped == .finished)
        #expect(busy.looks > 60)
    }

    @Test func aMachineThatDoesNotSayItsLoadIsNotBusy() throws {
        let scratch = try Self.filled()
        let report = try scratch.learn(
            machine: FakeMachine(step: .seconds(1), load: nil).machine, limit: Self.small)
        #expect(report.stopped == .finished)
    }

    @Test func itStopsBeforeTheAttemptIsOutOfTime() throws {
        let scratch = try Self.filled()
        let report = try scratch.learn(
            machine: FakeMachine(step: .seconds(1)).machine, limit: Self.small,
            timeout: .seconds(30))
        #expect(report.stopped == .maximumDuration)
    }

    @Test func nothingLeftIsFinishedHoweverLongItTook() throws {
        let scratch = try LearningScratch()
        try scratch.write("a.jsonl", #"{"text":"one"}"# + "\n")
        let report = try scratch.learn(
            ["max_duration": 1], machine: FakeMachine(step: .seconds(60)).machine)
        #expect(report.stopped == .finished)
        #expect(report.lines == 1)
    }

    @Test func cancelledItKeepsWhatItCounted() throws {
        let scratch = try Self.filled()
        let recorder = TaskRecorder()
        let machine = FakeMachine()
        machine.onLook = { if $0 == 20 { recorder.cancel() } }
        #expect(throws: TaskCancelled.self) {
            try scratch.learn(
                recorder: recorder, machine: machine.machine, limit: Self.small)
        }
        let lines = try #require(try scratch.counts().totals["lines"])
        #expect(lines > 0 && lines < 120)
        #expect(try scratch.learn().lines == 120 - lines)
        #expect(try scratch.counts() == Self.expected())
    }

    @Test(arguments: [1, 2, 9, 30, 61])
    func killedItNeitherLosesNorDoubles(look: Int) async throws {
        let scratch = try Self.filled()
        let path = scratch.path
        // The testing library waits for any child: one that another test did not reap, and that it
        // knows nothing of, it would find for ever.
        var left = siginfo_t()
        let found = waitid(P_ALL, 0, &left, WEXITED | WNOWAIT | WNOHANG)
        try #require(found != 0 || left._sifields._kill.si_pid == 0, "another test left a child")
        await #expect(processExitsWith: .signal(SIGKILL)) {
            [path = path as String, look = look as Int] in
            let machine = FakeMachine()
            machine.onLook = { if $0 == look { kill(getpid(), SIGKILL) } }
            let config: JSONValue = [
                "interactions_path": .string(path + "/interactions"),
                "learning_path": .string(path + "/learning"),
            ]
            _ = try BackgroundLearning.run(
                BackgroundLearningConfig.read(config), TaskRecorder().context(),
                machine.machine, LearningStopTests.small)
        }
        try scratch.learn()
        #expect(try scratch.counts() == Self.expected())
    }

    @Test(
        arguments: [
            ["timezone": "Mars/Olympus"], ["max_duration": 0], ["busy_cpu_percent": 0],
            ["max_terms": 1], ["max_duratoin": 5],
        ] as [JSONValue])
    func aConfigThatCannotBeMeantIsRefused(config: JSONValue) {
        #expect(throws: ConfigError.self) { try BackgroundLearningConfig.read(config) }
    }
}
