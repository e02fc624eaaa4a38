// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Testing

@testable import AicoCommands

/// What the reading verbs show to people, on a terminal of 80 columns.
@Suite(.serialized)
struct ListingTests {
    private let root: CommandRoot
    private let bus: FakeBus

    init() throws {
        root = try CommandRoot()
        bus = try FakeBus(root, Samples.reading)
    }

    private func shown(_ arguments: String..., status: Int32 = 0) -> String {
        let run = CommandRun(arguments, root: root)
        #expect(run.status == status)
        #expect(run.talk == "")
        return run.output
    }

    @Test func list() {
        #expect(
            shown("scheduler", "list") == """
                TASK              STATE     SCHEDULE   ZONE          LAST     OUTCOME    NEXT
                maintenance.log…  disabled  0 3 * * *  UTC           -        -          -
                user.photos       enabled   0 2 * * *  Europe/Berl…  9 h ago  succeeded  in 15 h

                """)
    }

    @Test func showTask() {
        #expect(
            shown("scheduler", "show", "user.photos") == #"""
                task       user.photos
                type       user.command
                state      enabled
                schedule   0 2 * * *
                time zone  Europe/Berlin
                next run   2026-01-16 02:00:00 +01:00 (in 15 h)
                last run   2026-01-15 02:00:00 +01:00 (9 h ago)
                outcome    succeeded
                config     {"argv":["/usr/bin/rsync","-a"],"environment":{"A":"1"}}
                policies   {"retry":{"count":2,"delay":30},"timeout":60}
                created    2026-01-01 01:00:00 +01:00 (14 d ago)
                updated    2026-01-02 01:00:00 +01:00 (13 d ago)
                origin     admin

                EXECUTION  TRIGGER   STARTED   TOOK  TRIES  OUTCOME            ERROR
                3f2a91c0   schedule  9 h ago  1.3 s      2  killed (denied_s…  \x1b[2J\x9b31mgo…

                """#)
    }

    @Test func showExecution() {
        #expect(
            shown("scheduler", "show", "3f2a91c0") == #"""
                execution     3f2a91c0-5c1d-4f7e-9a66-0d4c51a1b2c3
                task          user.photos
                trigger       schedule
                outcome       killed (denied_syscall)
                planned       2026-01-15T01:00:00Z (9 h ago)
                started       2026-01-15T01:00:00.250000Z (9 h ago)
                completed     2026-01-15T01:00:01.500000Z (9 h ago)
                took          1.3 s
                error         \x1b[2J\x9b31mgone\r\n\u{202e}tfel\x07
                attempt 1     failed_transient, exit code 75
                  error       no \x9b3mspace
                attempt 2     killed, signal 31
                  stopped by  denied system call mount(0x0, 0x1000, 0xffffffffffffffff)
                  used        0.5 s wall, 30 ms CPU, peak 1.5 MiB, 1 process, process limit hit 3 times
                  left        3 processes, killed: sh, sleep
                  layers      namespaces seccomp
                  missing     landlock (errno 38, create)

                """#)
    }

    @Test func logs() {
        #expect(
            shown("scheduler", "logs", "user.photos") == #"""
                01:00:00 stdout  copying
                01:00:01 stderr  \x1b[2J\x9b31mgone\r\n\u{202e}tfel\x07
                01:00:01 info    (not readable: its key is gone)

                """#)
    }

    @Test func history() {
        #expect(
            shown("scheduler", "history") == """
                EXECUTION  TASK         TRIGGER   STARTED   TOOK  TRIES  OUTCOME
                3f2a91c0   user.photos  schedule  9 h ago  1.3 s      2  killed (denied_syscall)

                """)
    }

    @Test func next() {
        #expect(
            shown("scheduler", "next") == """
                WHEN     TASK         AT
                due      user.late    2026-01-15T09:59:00Z
                in 15 h  user.photos  2026-01-16T01:00:00Z

                """)
    }

    @Test func stats() {
        #expect(
            shown("scheduler", "stats") == """
                since             2026-01-14T10:00:00Z (1 d ago)
                tasks             3, 2 of them enabled
                running           1
                waiting           0
                succeeded         7
                timed_out         1
                not run: skipped  4
                retries           2
                dead letters      1
                took              mean 1.3 s, minimum 4 ms, maximum 1 min 15 s
                due to started    p50 1.5 ms, p99 12 ms, maximum 0.12 s
                uptime            1 d 1 h

                """)
    }

    @Test func healthExitsWithOneWhereItIsNotHealthy() {
        #expect(
            shown("scheduler", "health", status: 1) == #"""
                system  degraded (scheduler, workers, store and the system's own tasks)
                tasks   critical (how attempts of agency and user tasks ended)

                CHECK  STATUS    MESSAGE
                store  healthy   writes
                disk   degraded  / is \x1b[5mfull

                WORKER  STATE    PID  RESTARTS  LAYERS
                user    running   42         1  namespaces seccomp
                agency  stopped    -         0

                """#)
    }

    @Test func deadLetters() {
        #expect(
            shown("scheduler", "dlq", "list") == """
                ID  TASK         EXECUTION  WHEN     TRIES  REASON
                 7  user.photos  3f2a91c0   9 h ago      2  killed: denied_syscall

                """)
    }

    @Test func processes() {
        #expect(
            shown("supervisor", "status") == """
                PROCESS                  STATE    PID         UP  RESTARTS  CAPABILITIES
                supervisor               running   10                       all
                scheduler                running   11  1 h 2 min            none
                worker user              running   12  1 h 2 min         1  DAC_READ_SEARCH
                worker acme-worker-user  stopped    -                    0

                """)
    }

    @Test(arguments: [
        (["scheduler", "list"], "there are no tasks\n"),
        (["scheduler", "history"], "there are no executions\n"),
        (["scheduler", "next"], "nothing is due\n"),
        (["scheduler", "dlq", "list"], "there are no dead letters\n"),
    ])
    func whereThereIsNothingTalkSaysSo(arguments: [String], sentence: String) throws {
        let root = try CommandRoot()
        let bus = try FakeBus(root) { _ in
            .data(["tasks": [], "executions": [], "next": [], "dead_letters": []])
        }
        let run = CommandRun(arguments, root: root)
        #expect(run.status == 0)
        #expect(run.output == "")
        #expect(run.talk == sentence)
        #expect(bus.requests.count == 1)
    }

    @Test func healthyIsDone() throws {
        let root = try CommandRoot()
        let bus = try FakeBus(root) { _ in
            .data(["status": "healthy", "checks": [], "workers": []])
        }
        let run = CommandRun(["scheduler", "health"], root: root)
        #expect(run.status == 0)
        #expect(
            run.output == "system  healthy (scheduler, workers, store and the system's own tasks)\n"
        )
        #expect(bus.requests == [.init(topic: .health, body: [:])])
    }

    @Test func aTaskThatNeverRanHasNoOutput() throws {
        let root = try CommandRoot()
        let bus = try FakeBus(root) { _ in .data(["execution": nil, "lines": []]) }
        let run = CommandRun(["scheduler", "logs", "user.new"], root: root)
        #expect(run.status == 3)
        #expect(
            run.talk == """
                aico: cannot show the output of "user.new": it never ran
                hint: run it with "aico scheduler run user.new --follow"

                """)
        #expect(bus.requests.count == 1)
    }
}
