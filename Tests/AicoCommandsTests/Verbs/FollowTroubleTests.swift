// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Foundation
import Synchronization
import Testing

@testable import AicoCommands

/// Following where events are lost, the scheduler goes away, or somebody has enough.
@Suite(.serialized)
struct FollowTroubleTests {
    @Test func whatAGapHidIsReadFromTheStore() throws {
        let root = try CommandRoot()
        let bus = try FakeBus(
            root,
            FollowScript.script(
                [
                    .init(topic: .executionLog, data: FollowScript.line("one")),
                    .init(topic: .executionLog, data: FollowScript.line("three"), lost: 1),
                    .init(topic: .executionFinished, data: FollowScript.data()),
                ],
                stored: [
                    FollowScript.line("one", id: 1), FollowScript.line("two", id: 2),
                    FollowScript.line("three", id: 3),
                ]))
        let run = CommandRun(["scheduler", "run", "user.photos", "--follow"], root: root)
        let lines = run.output.split(separator: "\n").prefix(4)
        #expect(
            lines == [
                "10:00:00 stdout  one", "10:00:00 stdout  two", "10:00:00 stdout  three",
                "user.photos succeeded after 1.3 s, execution 3f2a91c0",
            ])
        #expect(bus.requests.map(\.topic) == [.taskRun, .taskLogs, .taskStatus, .taskLogs])
    }

    @Test func anEndWhoseEventWasLostIsAskedFor() throws {
        let root = try CommandRoot()
        let bus = try FakeBus(root, FollowScript.script([]))
        let run = CommandRun(["scheduler", "run", "user.photos", "--wait"], root: root)
        #expect(run.status == 0)
        #expect(run.output.hasPrefix("user.photos succeeded"))
        #expect(bus.requests.map(\.topic) == [.taskRun, .taskStatus])
    }

    @Test func interruptionLeavesItRunning() throws {
        let root = try CommandRoot()
        let bus = try FakeBus(root, FollowScript.script([]))
        let run = CommandRun(
            ["scheduler", "run", "user.photos", "--follow"], root: root, isInterrupted: { true })
        #expect(run.status == 130)
        #expect(run.output == "")
        #expect(
            run.talk == """
                execution 3f2a91c0 goes on; see it with "aico scheduler logs user.photos --follow", \
                end it with "aico scheduler cancel user.photos"

                """)
        #expect(bus.requests.map(\.topic) == [.taskRun])
    }

    @Test func aSchedulerThatComesBackIsFollowedOn() throws {
        let root = try CommandRoot()
        let first = try FakeBus(root) { _ in
            .data(FollowScript.data(["state": "running"]), isLast: true)
        }
        let begun = DispatchSemaphore(value: 0)
        let second = Later()
        Thread {
            first.waitUntilEnded()
            second.bus.withLock {
                $0 = try? FakeBus(root) { request in
                    request.topic == .taskLogs
                        ? .data(
                            ["lines": [FollowScript.line("kept", id: 1)]],
                            events: [.init(topic: .executionFinished, data: FollowScript.data())])
                        : .data(["execution": FollowScript.ended])
                }
            }
            begun.signal()
        }.start()
        let run = CommandRun(["scheduler", "run", "user.photos", "--follow"], root: root)
        begun.wait()
        #expect(run.status == 0)
        #expect(
            run.talk == "\(ErrorMessages.schedulerWentAway)\n\(ErrorMessages.schedulerIsBack)\n")
        #expect(
            run.output.hasPrefix(
                "10:00:00 stdout  kept\nuser.photos succeeded after 1.3 s, execution 3f2a91c0\n"))
    }

    private final class Later: Sendable {
        let bus = Mutex<FakeBus?>(nil)
    }

    @Test func logsFollowGoesOnToTheEnd() throws {
        let root = try CommandRoot()
        let looks = Counter()
        let bus = try FakeBus(root) { request in
            switch request.topic {
            case .taskLogs:
                return .data([
                    "execution": FollowScript.data(["state": "running"]),
                    "lines": .array(
                        [FollowScript.line("before", id: 1), FollowScript.line("after", id: 2)]
                            .filter {
                                $0["id"]?.int ?? 0 > request.body["after"]?.int ?? 0
                            }.prefix(looks.isFirst ? 1 : 2).map { $0 }),
                ])
            default:
                // The first look finds it running; its last line and its end come as events.
                guard looks.next() > 1 else {
                    return .data(
                        ["execution": FollowScript.data(["state": "running"])],
                        events: [
                            .init(topic: .executionLog, data: FollowScript.line("after")),
                            .init(topic: .executionFinished, data: FollowScript.data()),
                        ])
                }
                return .data(["execution": FollowScript.ended])
            }
        }
        let run = CommandRun(["scheduler", "logs", "user.photos", "--follow"], root: root)
        #expect(run.status == 0)
        #expect(run.output == "10:00:00 stdout  before\n10:00:00 stdout  after\n")
        #expect(run.talk == "user.photos succeeded after 1.3 s, execution 3f2a91c0\n")
        #expect(bus.requests.first?.body == ["task": "user.photos", "limit": 1])
    }

    private final class Counter: Sendable {
        private let value = Mutex(0)
        var isFirst: Bool { value.withLock { $0 == 0 } }
        func next() -> Int {
            value.withLock {
                $0 += 1
                return $0
            }
        }
    }
}
