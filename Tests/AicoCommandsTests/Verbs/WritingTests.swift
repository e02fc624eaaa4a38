// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Foundation
import Synchronization
import Testing

@testable import AicoCommands

/// Verbs that change something: what they send and what they say.
@Suite(.serialized)
struct WritingTests {
    private let root: CommandRoot
    private let bus: FakeBus

    init() throws {
        root = try CommandRoot()
        bus = try FakeBus(root) { request in
            switch request.topic {
            case .taskCreate, .taskUpdate, .taskEnable, .taskDisable:
                .data(["task": Samples.task])
            case .taskStatus: .data(["task": Samples.task, "executions": []])
            case .taskHistory: .data(["executions": [Samples.execution]])
            case .taskDelete:
                request.body["task"] == "user.gone"
                    ? .refusal(.notFound, "there is no task \"user.gone\"", hint: "look")
                    : .data([
                        "deleted": request.body["task"] ?? .null,
                        "ending": request.body["task"] == "user.deaf"
                            ? [.string(Samples.id)] : [],
                    ])
            case .taskRun:
                .data([
                    "execution": .string(Samples.id), "task": "user.photos", "state": "running",
                ])
            case .taskCancel: .data(["cancelled": [.string(Samples.id)]])
            case .deadLetterRetry: .data(["execution": .string(Samples.id)])
            case .deadLetterPurge: .data(["purged": request.body["id"] == nil ? 12 : 1])
            default: .refusal(.internal, "not scripted")
            }
        }
    }

    private func run(_ arguments: String...) -> CommandRun {
        CommandRun(["scheduler"] + arguments, root: root)
    }

    @Test func createMakesACommandOfWhatFollowsTheDashes() {
        let run = run(
            "create", "user.photos", "0 2 * * *", "--timezone", "Europe/Berlin", "--env", "A=b=c",
            "--directory", "/srv", "--input", "text", "--timeout", "1h", "--retries", "2",
            "--retry-delay", "90", "--overlap", "queue_one", "--idle-only", "--dst-gap", "skip",
            "--merge-output",
            "--", "/usr/bin/rsync", "-a", "--json", "/photos")
        #expect(run.status == 0)
        #expect(run.talk == "created user.photos, which runs in 15 h\n")
        #expect(run.output == "")
        #expect(
            bus.requests == [
                .init(
                    topic: .taskCreate,
                    body: [
                        "id": "user.photos", "schedule": "0 2 * * *",
                        "timezone": "Europe/Berlin",
                        "config": [
                            "argv": ["/usr/bin/rsync", "-a", "--json", "/photos"],
                            "environment": ["A": "b=c"], "working_directory": "/srv",
                            "stdin": "text", "merge_output": true,
                        ],
                        "policies": [
                            "timeout": 3600, "retry": ["count": 2, "delay": 90],
                            "overlap": "queue_one", "idle_only": true, "dst": ["gap": "skip"],
                        ],
                    ])
            ])
    }

    @Test func mergedOutputIsUndoneByItsInverse() {
        #expect(run("update", "user.photos", "--no-merge-output").status == 0)
        #expect(
            bus.requests == [
                .init(
                    topic: .taskUpdate,
                    body: ["task": "user.photos", "config": ["merge_output": false]])
            ])
    }

    @Test func compoundSpansAreSumsOfSeconds() {
        #expect(run("update", "user.photos", "--timeout", "1h30m").status == 0)
        #expect(bus.requests.first?.body["policies"] == ["timeout": 5400])
    }

    @Test(arguments: [(65_000, 0x61 as UInt8), (50_000, 0xFF)])
    func inputThatNoConfigHoldsIsRefusedWithTheLimit(count: Int, byte: UInt8) throws {
        let path = "\(root.path)/large"
        try Data(repeating: byte, count: count).write(to: URL(fileURLWithPath: path))
        for size in [count + 600, 300_000] {
            try Data(repeating: byte, count: size).write(to: URL(fileURLWithPath: path))
            let run = run("update", "user.photos", "--input", "@\(path)")
            #expect(run.status == 2)
            #expect(run.talk.contains("\"@\(path)\": it has "))
            #expect(run.talk.contains("a task's config has 65536 bytes at most"))
            #expect(run.talk.contains("\nhint: keep it in a file that the task may read"))
        }
        #expect(bus.requests == [])
    }

    @Test func createTakesATypeWithItsConfig() throws {
        let file = try root.write("{\"retention_days\": 7}", to: "config.json")
        let run = run(
            "create", "maintenance.logs.weekly", "@weekly", "--type", "maintenance.log_cleanup",
            "--config", "@\(file)", "--disabled")
        #expect(run.talk == "created maintenance.logs.weekly, disabled\n")
        #expect(
            bus.requests == [
                .init(
                    topic: .taskCreate,
                    body: [
                        "id": "maintenance.logs.weekly", "schedule": "@weekly",
                        "type": "maintenance.log_cleanup", "config": ["retention_days": 7],
                        "enabled": false,
                    ])
            ])
    }

    @Test func createGivesTheTaskAsADocument() throws {
        let run = run("create", "user.x", "@daily", "--json", "--", "/bin/true")
        #expect(try run.document() == ["task": Samples.task])
        #expect(run.talk == "")
    }

    /// What the scheduler warns of is talk behind its answer, and a member of the document.
    @Test(arguments: ["create", "update"]) func aWarningIsPassedOn(verb: String) throws {
        let warning =
            "class user: its attempts do not begin: cannot show '/srv/\u{1B}[1m' (errno 2)"
        let root = try CommandRoot()
        let bus = try FakeBus(root) { _ in
            .data(["task": Samples.task, "warning": .string(warning)])
        }
        defer { withExtendedLifetime(bus) {} }
        let words =
            ["scheduler", verb, "user.photos"] + (verb == "create" ? ["@daily"] : [])
            + ["--timeout", "1h"]
        let run = CommandRun(words + ["--", "/bin/true"], root: root)
        #expect(run.status == 0)
        let lines = run.talk.split(separator: "\n")
        #expect(lines.count == 2, "\(run.talk)")
        #expect(lines.last?.hasPrefix("warning: class user: its attempts do not begin") == true)
        #expect(!run.talk.contains("\u{1B}"), "\(run.talk)")
        let json = CommandRun(words + ["--json", "--", "/bin/true"], root: root)
        let document = try json.document()
        #expect(json.talk == "" && document["warning"] == .string(warning))
    }

    @Test func updateSendsWhatIsNamedAlone() {
        let run = run(
            "update", "user.photos", "--schedule", "@daily", "--retries", "5", "--unset",
            "timeout", "--env", "B=2")
        #expect(run.talk == "updated user.photos\n")
        #expect(
            bus.requests == [
                .init(
                    topic: .taskUpdate,
                    body: [
                        "task": "user.photos", "schedule": "@daily",
                        "config": ["environment": ["B": "2"]],
                        "policies": ["retry": ["count": 5], "timeout": nil],
                    ])
            ])
    }

    /// What is UTF-8 goes as text, zero bytes included; what is not, as base64.
    @Test(arguments: [
        ([0x61, 0x00, 0xC3, 0xA9, 0x0A], "stdin", "a\0é\n"),
        ([0x61, 0xFF, 0x00, 0x0A], "stdin_base64", "Yf8ACg=="), ([], "stdin", ""),
        ([0xC3], "stdin_base64", "ww=="), ([0xED, 0xA0, 0x80], "stdin_base64", "7aCA"),
    ])
    func inputGoesWhole(bytes: [UInt8], name: String, value: String) throws {
        let path = "\(root.path)/input"
        try Data(bytes).write(to: URL(filePath: path))
        #expect(
            run("create", "user.x", "@daily", "--input", "@\(path)", "--", "/bin/cat").status == 0)
        #expect(run("update", "user.x", "--input", "@\(path)").status == 0)
        let other = name == "stdin" ? "stdin_base64" : "stdin"
        let configs = bus.requests.map { $0.body["config"]?.object ?? [:] }
        #expect(configs.count == 2)
        #expect(configs.first == ["argv": ["/bin/cat"], name: .string(value)])
        // One of the two holds, whichever the task had before.
        #expect(configs.last == [name: .string(value), other: .null])
    }

    @Test func inputGivenTwiceIsRefused() {
        for name in ["stdin", "stdin_base64"] {
            let run = run("update", "user.x", "--config", "{\"\(name)\":\"YQ==\"}", "--input", "a")
            #expect(run.status == 2)
            #expect(
                run.talk == "aico: cannot take --input and \"\(name)\" in --config together\n"
                    + "hint: leave out one of them\n")
        }
        #expect(bus.requests.isEmpty)
        let run = run("update", "user.x", "--config", "{\"stdin\":null}", "--input", "a")
        #expect(run.status == 0)
    }

    @Test(arguments: [
        ("delete", BusTopic.taskDelete, "deleted"), ("enable", .taskEnable, "enabled"),
        ("disable", .taskDisable, "disabled"),
    ])
    func aSwitchTakesSeveralTasks(verb: String, topic: BusTopic, done: String) {
        let run = run(verb, "user.a", "user.b")
        #expect(run.status == 0)
        #expect(run.talk == "\(done) user.a\n\(done) user.b\n")
        #expect(
            bus.requests == [
                .init(topic: topic, body: ["task": "user.a"]),
                .init(topic: topic, body: ["task": "user.b"]),
            ])
    }

    @Test func oneThatFailsDoesNotStopTheOthersAndDecidesTheExitCode() {
        let run = run("delete", "user.a", "user.gone", "user.b")
        #expect(run.status == 3)
        #expect(
            run.talk == """
                deleted user.a
                aico: there is no task "user.gone"
                hint: look
                deleted user.b

                """)
    }

    @Test func deleteSaysWhatStillEnds() {
        #expect(
            run("delete", "user.deaf").talk == """
                deleted user.deaf
                execution 3f2a91c0 is being ended; a new user.deaf waits for it where it may not overlap

                """)
    }

    @Test func runSaysWhichExecution() throws {
        #expect(run("run", "user.photos").talk == "running: user.photos, execution 3f2a91c0\n")
        #expect(try run("run", "user.photos", "--json").document()["state"] == "running")
        #expect(bus.requests.allSatisfy { $0.body == ["task": "user.photos"] })
    }

    @Test func cancelTakesATaskAnExecutionOrItsBeginning() {
        let whole: JSONValue = ["execution": .string(Samples.id)]
        let words: [(String, JSONValue)] = [
            ("user.photos", ["task": "user.photos"]), (Samples.id, whole),
            (Samples.id.uppercased(), whole), ("3F2A", ["execution": "3f2a"]),
            ("3f2a91c0-5", ["execution": "3f2a91c0-5"]),
        ]
        for (word, body) in words {
            #expect(run("cancel", word).talk == "cancelled execution 3f2a91c0\n")
            #expect(bus.requests.last == .init(topic: .taskCancel, body: body))
        }
    }

    @Test func cancelSaysWhatItWaitsForAndHowToEndIt() throws {
        let root = try CommandRoot()
        let bus = try FakeBus(root) { request in
            request.body["now"] == true
                ? .data(["cancelled": [.string(Samples.id)], "waiting": []])
                : .data([
                    "cancelled": ["aaaaaaaa-5c1d-4f7e-9a66-0d4c51a1b2c3"],
                    "waiting": [
                        ["execution": .string(Samples.id), "until": "2026-01-15T10:00:05Z"]
                    ],
                ])
        }
        let run = CommandRun(["scheduler", "cancel", "user.photos"], root: root)
        #expect(run.status == 0)
        #expect(
            run.talk == """
                cancelled execution aaaaaaaa
                told execution 3f2a91c0 to end; it is killed at 10:00:05 UTC (in 5 s) unless it \
                ends before; "aico scheduler cancel 3f2a91c0 --now" kills it

                """)
        let now = CommandRun(["scheduler", "cancel", "3f2a91c0", "--now"], root: root)
        #expect(now.talk == "cancelled execution 3f2a91c0\n")
        #expect(bus.requests.last?.body == ["execution": "3f2a91c0", "now": true])
    }

    @Test(arguments: [
        (0, ""),
        (
            1,
            """
            1 execution that began before goes on with its retries; end it with "aico scheduler \
            cancel user.a"

            """
        ),
        (
            3,
            """
            3 executions that began before go on with their retries; end them with "aico \
            scheduler cancel user.a"

            """
        ),
    ])
    func disableSaysWhatGoesOn(count: Int, words: String) throws {
        let root = try CommandRoot()
        let bus = try FakeBus(root) { _ in
            .data(["task": Samples.task, "retrying": .int(count)])
        }
        let run = CommandRun(["scheduler", "disable", "user.a"], root: root)
        #expect(run.status == 0)
        #expect(run.talk == "disabled user.a\n" + words)
        #expect(bus.requests.count == 1)
    }

    @Test func runSaysWhyItIsQueued() throws {
        let root = try CommandRoot()
        let bus = try FakeBus(root) { _ in
            .data([
                "execution": .string(Samples.id), "task": "user.photos", "state": "queued",
                "reason": "worker", "detail": "class user takes no orders: its canary failed",
            ])
        }
        #expect(
            CommandRun(["scheduler", "run", "user.photos"], root: root).talk == """
                queued: user.photos, execution 3f2a91c0; waits: worker (class user takes no \
                orders: its canary failed)

                """)
        #expect(bus.requests.count == 1)
    }

    @Test func whatIsUnsetAndSetIsSetOnTheDefault() {
        _ = run("update", "user.photos", "--unset", "retry", "--retries", "7")
        #expect(
            bus.requests == [
                .init(
                    topic: .taskUpdate,
                    body: [
                        "task": "user.photos",
                        "policies": [
                            "retry": [
                                "count": 7, "delay": nil, "factor": nil, "max_delay": nil,
                                "jitter": nil,
                            ]
                        ],
                    ])
            ])
        _ = run("update", "user.photos", "--unset", "timeout", "--timeout", "5m", "--unset", "dst")
        #expect(
            bus.requests.last?.body
                == ["task": "user.photos", "policies": ["timeout": 300, "dst": nil]])
    }

    @Test func valuesMayBeNegative() {
        #expect(
            run("update", "user.photos", "--priority", "-50", "--input", "-x").status == 0)
        #expect(bus.requests.last?.body["policies"] == ["priority": -50])
        #expect(bus.requests.last?.body["config"]?["stdin"] == "-x")
    }

    @Test func aProgramWithASpaceInItsPathIsNoCommandInQuotes() throws {
        let program = try root.write("", to: "my program")
        #expect(run("create", "user.x", "@daily", "--", program).status == 0)
        #expect(
            run("create", "user.x", "@daily", "--", "/bin/sh", "-c", "echo a b").status == 0)
        #expect(bus.requests.count == 2)
    }

    @Test func deadLettersAreSentBackAndPurged() {
        #expect(run("dlq", "retry", "7").talk == "runs again as execution 3f2a91c0\n")
        #expect(run("dlq", "purge", "7").talk == "purged 1\n")
        #expect(run("dlq", "purge", "--all").talk == "purged 12\n")
        #expect(
            bus.requests == [
                .init(topic: .deadLetterRetry, body: ["id": 7]),
                .init(topic: .deadLetterPurge, body: ["id": 7]),
                .init(topic: .deadLetterPurge, body: [:]),
            ])
    }
}
