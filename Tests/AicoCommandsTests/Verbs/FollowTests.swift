// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Testing

@testable import AicoCommands

/// `run --follow`, `run --wait` and `logs --follow`: from events to words.
@Suite(.serialized)
struct FollowTests {
    private static let events: [FakeBus.Event] = [
        .init(topic: .executionStarted, data: FollowScript.data(["attempt": 1])),
        .init(
            topic: .executionProgress,
            data: FollowScript.data(["fraction": 0.5, "message": "half\u{1B}[2J"])),
        .init(topic: .executionLog, data: FollowScript.line("hello")),
        .init(
            topic: .executionLog,
            data: ["execution": "another", "task": "user.b", "line": "not ours"]),
        .init(topic: .executionFinished, data: FollowScript.data(["outcome": "succeeded"])),
    ]

    @Test func followShowsProgressLinesAndTheEnd() throws {
        let root = try CommandRoot()
        let bus = try FakeBus(
            root,
            FollowScript.script(
                Self.events,
                stored: [FollowScript.line("hello", id: 1), FollowScript.line("unseen", id: 2)]))
        let run = CommandRun(["scheduler", "run", "user.photos", "--follow"], root: root)
        #expect(run.status == 0)
        #expect(
            run.output == """
                10:00:00 stdout  hello
                10:00:00 stdout  unseen
                user.photos succeeded after 1.3 s, execution 3f2a91c0
                result {"n":7}

                """)
        #expect(run.talk == "progress 50 % half\\x1b[2J\n")
        #expect(bus.requests.map(\.topic) == [.taskRun, .taskStatus, .taskLogs])
    }

    @Test(arguments: ["--follow", "--wait"])
    func whatItWaitsForIsSaidOncePerReason(flag: String) throws {
        @Sendable func deferred(_ reason: String, _ detail: String) -> FakeBus.Event {
            .init(
                topic: .executionDeferred,
                data: FollowScript.data(["reason": .string(reason), "detail": .string(detail)]))
        }
        let root = try CommandRoot()
        let bus = try FakeBus(root) { request in
            request.topic == .taskRun
                ? .data(
                    FollowScript.data([
                        "state": "queued", "reason": "worker",
                        "detail": "class user takes no orders: its canary \u{9B}failed",
                    ]),
                    events: [
                        deferred("worker", "the same once more"), deferred("resources", "CPU 93 %"),
                        deferred("resources", "CPU 94 %"), deferred("worker", "again"),
                        .init(topic: .executionFinished, data: FollowScript.data()),
                    ])
                : .data(["execution": FollowScript.ended, "lines": []])
        }
        let run = CommandRun(["scheduler", "run", "user.photos", flag], root: root)
        #expect(run.status == 0)
        #expect(
            run.talk == """
                waits: worker (class user takes no orders: its canary \\x9bfailed)
                waits: resources (CPU 93 %)
                waits: worker (again)

                """)
        #expect(bus.requests.first?.topic == .taskRun)
    }

    @Test func aResultSteersNoTerminal() throws {
        let root = try CommandRoot()
        var end = FollowScript.ended.object ?? [:]
        end["result"] = ["\u{9B}k": .string(Samples.hostile)]
        let bus = try FakeBus(root, FollowScript.script(Self.events, end: .object(end)))
        let run = CommandRun(["scheduler", "run", "user.photos", "--follow"], root: root)
        #expect(
            run.output.hasSuffix(
                #"result {"\u009bk":"\u001b[2J\u009b31mgone\r\n\u202etfel\u0007"}"# + "\n"))
        #expect(bus.requests.count == 3)
    }

    @Test func waitShowsTheEndOnly() throws {
        let root = try CommandRoot()
        let bus = try FakeBus(
            root, FollowScript.script(Self.events, stored: [FollowScript.line("x", id: 1)]))
        let run = CommandRun(["scheduler", "run", "user.photos", "--wait", "--json"], root: root)
        #expect(run.status == 0)
        #expect(try run.document() == FollowScript.ended)
        #expect(run.talk == "")
        #expect(bus.requests.map(\.topic) == [.taskRun, .taskStatus])
    }

    @Test func followWithJSONTalksOfTheLines() throws {
        let root = try CommandRoot()
        let bus = try FakeBus(root, FollowScript.script(Self.events))
        let run = CommandRun(["scheduler", "run", "user.photos", "--follow", "--json"], root: root)
        #expect(try run.document() == FollowScript.ended)
        #expect(run.talk == "progress 50 % half\\x1b[2J\n10:00:00 stdout  hello\n")
        #expect(bus.requests.count == 3)
    }

    @Test func aRetryAndAFailureAreTold() throws {
        let root = try CommandRoot()
        let retry = FollowScript.data([
            "attempt": 1, "outcome": "failed_transient", "reason": "exit_code",
            "retry_at": "2026-01-15T10:01:00Z",
        ])
        let bus = try FakeBus(
            root,
            FollowScript.script(
                [
                    .init(topic: .executionStarted, data: FollowScript.data(["attempt": 1])),
                    .init(topic: .executionRetry, data: retry),
                    .init(topic: .executionStarted, data: FollowScript.data(["attempt": 2])),
                    .init(
                        topic: .executionFinished, data: FollowScript.data(["outcome": "killed"])),
                ], end: Samples.wholeExecution))
        let run = CommandRun(["scheduler", "run", "user.photos", "--follow"], root: root)
        #expect(run.status == 1)
        #expect(
            run.output == #"""
                user.photos killed (denied_syscall) after 1.3 s and 2 attempts, execution 3f2a91c0: \#
                \x1b[2J\x9b31mgone\r\n\u{202e}tfel\x07

                """#)
        #expect(
            run.talk == """
                attempt 1 failed_transient (exit_code); the next one starts in 1 min
                attempt 2 started
                stopped by: denied system call mount(0x0, 0x1000, 0xffffffffffffffff)

                """)
        #expect(bus.requests.count == 3)
    }
}
