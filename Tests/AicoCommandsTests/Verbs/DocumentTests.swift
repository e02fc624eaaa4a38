// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Testing

@testable import AicoCommands

/// `--json` of the reading verbs: the scheduler's data, whole, as one document.
@Suite(.serialized)
struct DocumentTests {
    @Test(arguments: Verb.all.filter(\.isReading))
    func aReadingVerbPrintsTheDataAsItIs(verb: Verb) throws {
        let root = try CommandRoot()
        let bus = try FakeBus(root, Samples.reading)
        let run = CommandRun(verb.arguments + ["--json"], root: root)
        #expect(run.status == (verb.topic == .health ? 1 : 0))
        #expect(run.talk == "")
        let request = try #require(bus.requests.last)
        guard case .success(var data) = Samples.reading(request).outcome else {
            Issue.record("\(verb.topic) is not scripted")
            return
        }
        if verb.topic == .supervisorStatus {
            // What the kernel alone knows is asked of it here.
            data = SupervisorStatus.adding(CommandRun.held, to: data)
            #expect(data["workers"]?.array?.first?["capabilities"] == ["DAC_READ_SEARCH"])
        }
        #expect(try run.document() == data)
        #expect(run.output == PlainText(json: data, indented: true).text + "\n")
    }

    @Test func controlCharactersLeaveTheDocumentEscaped() throws {
        let root = try CommandRoot()
        let bus = try FakeBus(root, Samples.reading)
        let run = CommandRun(["scheduler", "logs", "user.photos", "--json"], root: root)
        #expect(!run.output.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" })
        #expect(bus.requests.count == 1)
    }

    @Test func allPagesOfALogAreOneDocument() throws {
        let root = try CommandRoot()
        let bus = try FakeBus(root) { request in
            let first = (request.body["after"]?.int ?? 0) + 1
            let page = first...min(first + 999, 2500)
            return .data([
                "execution": Samples.execution,
                "lines": .array(
                    page.map { number in
                        [
                            "id": .int(number), "attempt": 1, "at": "2026-01-15T01:00:00Z",
                            "stream": "stdout", "line": .string("\(number)"),
                        ]
                    }), "more": .bool(page.upperBound < 2500),
            ])
        }
        let run = CommandRun(["scheduler", "logs", "user.photos", "--json"], root: root)
        let lines = try #require(try run.document()["lines"]?.array)
        #expect(lines.map { $0["id"]?.int } == Array(1...2500))
        #expect(bus.requests.map { $0.body["after"]?.int } == [nil, 1000, 2000])
    }

    private static let requests: [([String], BusTopic, JSONValue)] = [
        (
            ["history", "user.photos", "--outcome", "timed_out", "--since", "2h", "-n", "3"],
            BusTopic.taskHistory,
            [
                "task": "user.photos", "outcome": "timed_out", "limit": 3,
                "since": "2026-01-15T08:00:00Z",
            ]
        ),
        (["history"], .taskHistory, ["limit": 20]),
        (["stats", "--since", "7d"], .stats, ["since": "2026-01-08T10:00:00Z"]),
        (["list", "--class", "user"], .taskList, ["class": "user", "limit": 500]),
        (
            ["list", "--limit", "7", "--after", "user.a"], .taskList,
            ["limit": 7, "after": "user.a"]
        ),
        (["history", "--after", "c1"], .taskHistory, ["limit": 20, "after": "c1"]),
        (["next", "user.photos", "-c", "2"], .taskNext, ["task": "user.photos", "count": 2]),
        (["logs", "user.photos"], .taskLogs, ["task": "user.photos", "limit": 1000]),
        (["show", Samples.id], .taskStatus, ["execution": .string(Samples.id)]),
        (["show", "3F2A91C0"], .taskStatus, ["execution": "3f2a91c0"]),
        (["logs", "3F2A"], .taskLogs, ["execution": "3f2a", "limit": 1000]),
    ]

    @Test(arguments: requests)
    func optionsBecomeTheRequest(
        arguments: [String], topic: BusTopic, body: JSONValue
    ) throws {
        let root = try CommandRoot()
        let bus = try FakeBus(root, Samples.reading)
        #expect(CommandRun(["scheduler"] + arguments + ["--json"], root: root).status == 0)
        #expect(bus.requests == [.init(topic: topic, body: body)])
    }
}
