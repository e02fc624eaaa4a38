// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import BusClient
import Testing

/// What a command wrote before its end is in the log, whatever ended it.
@Suite(.serialized, .enabled(if: Built.canStart, Built.reason), .oneInstance)
struct OutputTests {
    private static let sixty = "for i in $(seq 60); do echo line $i; done"

    private func run(
        _ name: String, _ script: String, config: [String: JSONValue] = [:]
    ) throws -> EndedExecution {
        try OneInstance.shared().runToEnd(name, argv: ["/bin/sh", "-c", script], config: config)
    }

    @Test func linesBeforeADeniedCallAreAllThereEachTime() throws {
        let expected = (1...60).map { "line \($0)" }
        for number in 1...50 {
            let ended = try run(
                "user.denied\(number)", "\(Self.sixty); exec unshare --user true")
            #expect(ended.cause == "denied_syscall" && ended.deniedCall == "unshare")
            #expect(ended.lines == expected, "run \(number)")
        }
    }

    @Test func commandThatASignalEndedIsKilled() throws {
        let ended = try run("user.signal", "echo no way out >&2; kill -KILL $$")
        #expect(ended.outcome == "killed" && ended.reason == "signal", "\(ended.data.text())")
        #expect(ended.attempt["signal"]?.int == 9 && ended.exitCode == nil)
        #expect(ended.data["error"]?.string == "ended by signal 9: no way out")
    }

    @Test func exitCodeKeepsTheLastWordsOnStandardError() throws {
        let ended = try run("user.exit", "echo no space left >&2; exit 3")
        #expect(ended.exitCode == 3 && ended.outcome == "failed_transient")
        #expect(ended.data["error"]?.string == "exited with code 3: no space left")
    }

    @Test func floodKeepsItsHeadAndItsTail() throws {
        let instance = try OneInstance.shared()
        let ended = try run("user.flood", "seq 100000")
        let client = try instance.client()
        let reply = try client.request(
            topic: "scheduler.task.logs",
            body: ["execution": .string(ended.identifier), "limit": 10000])
        let lines = reply["lines"]?.array?.compactMap { $0["line"]?.string } ?? []
        let head = Array(lines.prefix(5000))
        #expect(head == (1...5000).map(String.init))
        #expect(lines.suffix(1000).map { $0 } == (99_001...100_000).map(String.init))
        #expect(lines.count == 6002 && lines[5001] == "94000 lines left out")
    }

    @Test func mergedOutputIsOneStreamInOrder() throws {
        let ended = try run(
            "user.merged", "for i in 1 2 3; do echo o$i; echo e$i >&2; done",
            config: ["merge_output": true])
        #expect(ended.lines == ["o1", "e1", "o2", "e2", "o3", "e3"])
    }

    /// Two pipes have no order of their own: whoever reads them takes a little of each in turn.
    @Test func neitherOfTwoStreamsRunsFarAheadOfTheOther() throws {
        let pad = String(repeating: ".", count: 110)
        let ended = try run(
            "user.streams",
            "i=0; while [ $i -lt 450 ]; do echo o$i\(pad); echo e$i\(pad) >&2; i=$((i+1)); done")
        #expect(ended.lines.count == 900)
        #expect(ended.lines.filter { $0.hasPrefix("o") }.count == 450)
        var (ahead, most) = (0, 0)
        for line in ended.lines {
            ahead += line.hasPrefix("o") ? 1 : -1
            most = max(most, abs(ahead))
        }
        // Some forty lines are a portion; what stood in a pipe would be ten times as much.
        #expect(most < 200, "one is \(most) lines ahead")
    }

    @Test func bytesThatAreNoTextReachTheCommand() throws {
        let ended = try run(
            "user.bytes", "od -An -tx1", config: ["stdin_base64": "AP8K"])
        #expect(ended.lines == [" 00 ff 0a"])
    }
}
