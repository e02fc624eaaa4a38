// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Testing

@testable import AicoCommands

/// A start that is held back is shown wherever its task is: that it waits, since when, for what.
struct WaitingTests {
    private static let waits: JSONValue = [
        "execution": .string(Samples.id), "reason": "cpu",
        "detail": "the processors are busier than max_cpu_percent",
        "since": "2026-01-15T09:57:00.5Z",
    ]

    private static func adding(_ members: [String: JSONValue], to json: JSONValue) -> JSONValue {
        .object((json.object ?? [:]).merging(members) { $1 })
    }

    private static let queued = adding(
        [
            "state": "queued", "outcome": nil, "reason": "cpu", "started_at": nil, "attempts": 0,
            "completed_at": nil, "duration": nil, "error": nil, "waits": waits,
        ], to: Samples.execution)

    private func shown(_ arguments: String..., answer: JSONValue) throws -> String {
        let root = try CommandRoot()
        let bus = try FakeBus(root) { _ in .data(answer) }
        let run = CommandRun(arguments, root: root, width: 120)
        #expect(run.status == 0)
        #expect(bus.requests.count == 1)
        return run.output
    }

    @Test func listSaysThatATaskWaits() throws {
        let task = Self.adding(["waits": Self.waits], to: Samples.task)
        #expect(
            try shown("scheduler", "list", answer: ["tasks": [task]])
                .contains("user.photos  waits 3 min: cpu  0 2 * * *"))
    }

    @Test func oneThatRunsBesideItIsWhatTheListShows() throws {
        let task = Self.adding(["waits": Self.waits, "running": "other"], to: Samples.task)
        #expect(
            try shown("scheduler", "list", answer: ["tasks": [task]])
                .contains("user.photos  running  0 2 * * *"))
    }

    @Test func showSaysItInASentence() throws {
        let task = Self.adding(["waits": Self.waits], to: Samples.task)
        let sentence =
            "since 2026-01-15T09:57:00Z (3 min ago) for cpu (the processors are busier than "
            + "max_cpu_percent)\n"
        let ofTask = try shown(
            "scheduler", "show", "user.photos", answer: ["task": task, "executions": []])
        #expect(ofTask.contains("state      waiting\n"))
        #expect(ofTask.contains("waits      execution 3f2a91c0 " + sentence))
        #expect(
            try shown("scheduler", "show", "3f2a91c0", answer: ["execution": Self.queued])
                .contains("waits      " + sentence))
    }

    @Test func historyShowsItAboveWhatRan() throws {
        let output = try shown(
            "scheduler", "history",
            answer: ["executions": [Samples.execution], "queued": [Self.queued]])
        let lines = output.split(separator: "\n").map(String.init)
        #expect(lines.count == 3)
        #expect(lines[1].contains("3f2a91c0   user.photos  schedule  -"))
        #expect(lines[1].hasSuffix("waits 3 min: cpu"))
        #expect(lines[2].contains("killed (denied_syscall)"))
    }

    @Test func longTextsOfAConfigAreCutAndSaySo() throws {
        let task = Self.adding(
            ["config": ["stdin_base64": .string(String(repeating: "A", count: 4000))]],
            to: Samples.task)
        let output = try shown(
            "scheduler", "show", "user.photos", answer: ["task": task, "executions": []])
        #expect(output.contains("AAAA ... [cut: 4000 bytes]\"}\n"))
        #expect(output.utf8.count < 1000)
    }

    @Test(arguments: [[:], nil] as [JSONValue])
    func policiesThatAreAllDefaultsAreNoLine(policies: JSONValue) throws {
        let task = Self.adding(["policies": policies], to: Samples.task)
        let output = try shown(
            "scheduler", "show", "user.photos", answer: ["task": task, "executions": []])
        #expect(!output.contains("policies"))
    }
}
