// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Glibc
import Testing
import ZeroMQ

@testable import AicoCommands

/// A verb that needs the daemon, with arguments that are right.
struct Verb: Sendable, CustomTestStringConvertible {
    let topic: BusTopic
    let arguments: [String]
    var isReading = false
    var testDescription: String { arguments.prefix(3).joined(separator: " ") }

    static let all = [
        Verb(topic: .taskList, arguments: ["scheduler", "list"], isReading: true),
        Verb(topic: .taskStatus, arguments: ["scheduler", "show", "user.photos"], isReading: true),
        Verb(
            topic: .taskStatus, arguments: ["scheduler", "show", Samples.id], isReading: true),
        Verb(
            topic: .taskCreate,
            arguments: ["scheduler", "create", "user.x", "@daily", "--", "/bin/true"]),
        Verb(
            topic: .taskUpdate,
            arguments: ["scheduler", "update", "user.x", "--schedule", "@daily"]),
        Verb(topic: .taskDelete, arguments: ["scheduler", "delete", "user.x"]),
        Verb(topic: .taskEnable, arguments: ["scheduler", "enable", "user.x"]),
        Verb(topic: .taskDisable, arguments: ["scheduler", "disable", "user.x"]),
        Verb(topic: .taskRun, arguments: ["scheduler", "run", "user.x"]),
        Verb(topic: .taskRun, arguments: ["scheduler", "run", "user.x", "--wait"]),
        Verb(topic: .taskCancel, arguments: ["scheduler", "cancel", "user.x"]),
        Verb(topic: .taskLogs, arguments: ["scheduler", "logs", "user.photos"], isReading: true),
        Verb(topic: .taskHistory, arguments: ["scheduler", "history"], isReading: true),
        Verb(topic: .taskNext, arguments: ["scheduler", "next"], isReading: true),
        Verb(topic: .stats, arguments: ["scheduler", "stats"], isReading: true),
        Verb(topic: .health, arguments: ["scheduler", "health"], isReading: true),
        Verb(topic: .deadLetterList, arguments: ["scheduler", "dlq", "list"], isReading: true),
        Verb(topic: .deadLetterRetry, arguments: ["scheduler", "dlq", "retry", "7"]),
        Verb(topic: .deadLetterPurge, arguments: ["scheduler", "dlq", "purge", "7"]),
        Verb(topic: .supervisorStatus, arguments: ["supervisor", "status"], isReading: true),
        Verb(topic: .supervisorStop, arguments: ["supervisor", "stop"]),
    ]
}

@Suite(.serialized)
struct RefusalTests {
    private static let statuses: [(BusErrorCode, Int32)] = [
        (.notFound, 3), (.notPermitted, 4), (.invalid, 2), (.conflict, 1), (.unavailable, 1),
        (.internal, 1), (.malformed, 1), (.unknownTopic, 1),
    ]

    @Test(arguments: Verb.all)
    func eachRefusalHasItsExitCodeAndItsHint(verb: Verb) throws {
        for (code, status) in Self.statuses {
            let root = try CommandRoot()
            let bus = try FakeBus(root) { request in
                request.topic == verb.topic
                    ? .refusal(code, "cannot do this: not today", hint: "type: try again")
                    : Samples.reading(request)
            }
            let run = CommandRun(verb.arguments, root: root)
            #expect(run.status == status, "\(code)")
            #expect(run.talk == "aico: cannot do this: not today\nhint: type: try again\n")
            #expect(run.output == "")
            #expect(bus.requests.last?.topic == verb.topic)
        }
    }

    @Test(arguments: Verb.all)
    func nobodyListensIsFive(verb: Verb) throws {
        let root = try CommandRoot()
        let run = CommandRun(verb.arguments, root: root)
        #expect(run.status == 5)
        #expect(run.output == "")
        #expect(run.talk.hasPrefix("aico: cannot reach the scheduler at \"ipc://\(root.path)/"))
        #expect(
            run.talk.contains("\nhint: start it with \"aico-supervisor --root \(root.path)\""))
    }

    @Test(arguments: Verb.all)
    func whereNothingEverRanIsFive(verb: Verb) {
        let run = CommandRun(verb.arguments)
        #expect(run.status == 5)
        #expect(
            run.talk == """
                aico: cannot reach the scheduler: there is no key file \
                "/nonexistent/var/lib/aico/keys/clients/admin.key"
                hint: start it with "aico-supervisor --root /nonexistent", or name another --root

                """)
    }

    @Test func anUnknownKeyIsRefused() throws {
        let root = try CommandRoot()
        let bus = try FakeBus(root, Samples.reading)
        let key = try root.write(keys: CurveKeyPair.generate(), to: "stranger.key")
        let run = CommandRun(["scheduler", "list", "--key", key], root: root)
        #expect(run.status == 4)
        #expect(run.talk.hasPrefix("aico: cannot enter the bus at "))
        #expect(run.talk.contains("\nhint: name a key file that this scheduler knows with --key"))
        #expect(run.talk.contains("NAME.key, which counts from the next start of the system on"))
        #expect(bus.requests.isEmpty)
    }

    @Test func aDamagedKeyFileIsRefusedWithoutItsContent() throws {
        let root = try CommandRoot()
        let key = try root.write("secret hunter2\n", to: "bad.key")
        let run = CommandRun(["scheduler", "list", "--key", key], root: root)
        #expect(run.status == 4)
        #expect(run.talk.hasPrefix("aico: cannot use the key file \"\(key)\""))
        #expect(!run.talk.contains("hunter2"))
        #expect(
            run.talk.contains("\nhint: a key file has the lines public, secret, server and role"))
    }

    @Test func aKeyFileThatIsOpenToOthersSaysWhatToType() throws {
        let root = try CommandRoot()
        let key = try root.write(keys: root.admin, to: "open.key")
        #expect(chmod(key, 0o644) == 0)
        let run = CommandRun(["scheduler", "list", "--key", key], root: root)
        #expect(run.status == 4)
        #expect(
            run.talk.contains(": others may read or change it\nhint: type: chmod 0440 '\(key)'"))
    }

    @Test func aKeyFileThatIsNotThereIsNoLackOfAScheduler() throws {
        let run = CommandRun(
            ["scheduler", "list", "--key", "/nonexistent/a"], root: try CommandRoot())
        #expect(run.status == 4)
        #expect(
            run.talk == """
                aico: cannot use the key file "/nonexistent/a": there is none
                hint: name one that is there with --key, or leave --key out for the admin's

                """)
    }

    /// A supervisor that lives starts its scheduler itself, as after a crash of that.
    @Test func whereTheSupervisorLivesNobodyIsToldToStartIt() throws {
        let root = try CommandRoot()
        _ = try root.write("\(getpid())\n", to: "run/aico/supervisor.pid")
        let lock = open("\(root.path)/run/aico", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { close(lock) }
        #expect(flock(lock, LOCK_EX | LOCK_NB) == 0)
        let run = CommandRun(["scheduler", "list"], root: root)
        #expect(run.status == 5)
        #expect(
            run.talk.hasSuffix(
                "\nhint: its supervisor (pid \(getpid())) runs and is about to start it: try again in "
                    + "some seconds; where that goes on, the supervisor's log says why\n"))
        #expect(flock(lock, LOCK_UN) == 0)
        #expect(
            CommandRun(["scheduler", "list"], root: root).talk.contains("\nhint: start it with"))
    }

    @Test func aKeyFileOfOthersHasItsHint() {
        let failure = ErrorMessages.keyForbidden("/k")
        #expect(failure.status == .refused)
        #expect(
            failure.text == """
                aico: cannot use the key file "/k": Permission denied
                hint: use sudo, or name a key file of your own with --key

                """)
    }

    @Test func aRootMayBeNamedBeforeAndAfterTheVerb() throws {
        let root = try CommandRoot()
        let bus = try FakeBus(root, Samples.reading)
        for arguments in [
            ["--root", root.path, "scheduler", "next"],
            ["--root=\(root.path)/", "scheduler", "next"],
            ["scheduler", "next", "--root", root.path],
        ] {
            #expect(CommandRun(arguments).status == 0)
        }
        #expect(bus.requests.count == 3)
    }

    /// What a hint tells to type is meant for the system that was asked, wherever it was named.
    @Test func hintsNameTheRootThatTheCommandLineNames() throws {
        let root = try CommandRoot()
        let other = try CommandRoot()
        let bus = try FakeBus(root) { _ in
            .refusal(
                .notFound, "there is no task \"user.x\"",
                hint: "type: aico scheduler list, or \"aico schedule next X\"")
        }
        for words in [
            ["--root", root.path, "scheduler", "run", "user.x"],
            ["scheduler", "run", "user.x", "--root=\(root.path)"],
            ["scheduler", "run", "--root", root.path, "user.x"],
        ] {
            #expect(
                CommandRun(words, root: other).talk
                    == "aico: there is no task \"user.x\"\nhint: type: aico --root \(root.path) "
                    + "scheduler list, or \"aico --root \(root.path) schedule next X\"\n")
        }
        // The variable holds for what is typed next as well.
        #expect(
            CommandRun(["scheduler", "run", "user.x"], root: root).talk.contains(
                "hint: type: aico scheduler list"))
        #expect(bus.requests.count == 4)
    }
}
