// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import BusClient
import Glibc
import Testing

/// The built `aico` against a running system: what people type, and what they get.
@Suite(.serialized, .enabled(if: Built.canStart, Built.reason), .oneInstance)
struct CommandLineTests {
    /// Exit codes as `aico --help` has them.
    private enum Code {
        static let done: Int32 = 0
        static let failed: Int32 = 1
        static let usage: Int32 = 2
        static let notFound: Int32 = 3
        static let noDaemon: Int32 = 5
    }

    private func aico(_ words: String...) throws -> (output: String, status: Int32) {
        try OneInstance.shared().aico(words)
    }

    private func json(_ words: String...) throws -> JSONValue {
        let (output, status) = try OneInstance.shared().aico(words + ["--json"])
        #expect(status == Code.done, "\(words): \(output)")
        return try JSONValue.parse(Array(output.utf8))
    }

    @Test func taskLivesFromCreateToDelete() throws {
        let made = try aico(
            "scheduler", "create", "user.life", "0 2 * * *", "--timezone", "Europe/Berlin", "--",
            "/bin/echo", "one")
        #expect(made.status == Code.done, "\(made.output)")
        #expect(
            try json("scheduler", "list")["tasks"]?.array?.contains {
                $0["id"]?.string == "user.life"
            } == true)
        #expect(
            try json("scheduler", "show", "user.life")["task"]?["timezone"]?.string
                == "Europe/Berlin")
        let next = try json("scheduler", "next", "user.life", "--count", "2")
        #expect(next["next"]?.array?.count == 2, "\(next.text())")
        let run = try aico("scheduler", "run", "user.life", "--follow")
        #expect(run.status == Code.done && run.output.contains("stdout  one"), "\(run.output)")
        #expect(try aico("scheduler", "logs", "user.life").output.contains("stdout  one"))
        let history = try json("scheduler", "history", "user.life")
        #expect(history["executions"]?.array?.first?["outcome"]?.string == "succeeded")
        #expect(try aico("scheduler", "disable", "user.life").status == Code.done)
        #expect(
            try json("scheduler", "show", "user.life")["task"]?["enabled"]?.bool == false)
        #expect(try aico("scheduler", "enable", "user.life").status == Code.done)
        let updated = try aico("scheduler", "update", "user.life", "--schedule", "@hourly")
        #expect(updated.status == Code.done, "\(updated.output)")
        #expect(
            try json("scheduler", "show", "user.life")["task"]?["schedule"]?.string == "@hourly")
        #expect(try aico("scheduler", "delete", "user.life").status == Code.done)
        #expect(try aico("scheduler", "show", "user.life").status == Code.notFound)
    }

    @Test(arguments: [
        "maintenance.health_check", "maintenance.log_cleanup", "maintenance.database_vacuum",
        "agency.background_learning",
    ])
    func builtInTaskRuns(task: String) throws {
        var run = try aico("scheduler", "run", task, "--follow")
        // Its own schedule may have started it just now.
        let deadline = ContinuousClock.now + Built.patience(seconds: 30)
        while run.output.contains("runs already"), ContinuousClock.now < deadline {
            run = try aico("scheduler", "run", task, "--follow")
        }
        #expect(
            run.status == Code.done && run.output.contains("\(task) succeeded"), "\(run.output)")
    }

    @Test func integrityCheckNamesAChangedKeyFile() throws {
        let instance = try OneInstance.shared()
        #expect(
            instance.supervisor.waitForLine("recorded the baseline", within: .seconds(60))
                || instance.supervisor.lines.contains { $0.contains("recorded the baseline") })
        let before = try aico("scheduler", "run", "security.integrity_check", "--follow")
        #expect(before.status == Code.done, "\(before.output)")
        let file = "\(instance.root)/var/lib/aico/keys/clients/intruder.key"
        try writeFile("public x\n", to: file)
        let after = try aico("scheduler", "run", "security.integrity_check", "--follow")
        unlink(file)
        #expect(after.status == Code.failed)
        #expect(after.output.contains("/aico/keys/clients/intruder.key is new"), "\(after.output)")
    }

    @Test func runningExecutionIsCancelled() throws {
        _ = try aico("scheduler", "create", "user.long", "@yearly", "--", "/bin/sleep", "1000")
        let started = try json("scheduler", "run", "user.long")
        let execution = try #require(started["execution"]?.string)
        let cancelled = try aico("scheduler", "cancel", execution)
        #expect(cancelled.status == Code.done, "\(cancelled.output)")
        let followed = try aico("scheduler", "logs", execution, "--follow")
        #expect(followed.output.contains("user.long cancelled"), "\(followed.output)")
    }

    @Test func resultExitCodeAndInputOfACommandAreKept() throws {
        let instance = try OneInstance.shared()
        let ended = try instance.runToEnd(
            "user.result",
            argv: ["/bin/sh", "-c", "read word; echo \"{\\\"word\\\":\\\"$word\\\"}\" >&3; pwd"],
            config: ["stdin": "hello\n"])
        #expect(ended.data["result"]?["word"]?.string == "hello", "\(ended.data.text())")
        #expect(ended.lines == ["/aico/work"])
        let permanent = try instance.runToEnd(
            "user.permanent", argv: ["/bin/sh", "-c", "exit 78"],
            policies: ["retry": ["count": 3, "delay": 0.1]])
        #expect(permanent.outcome == "failed_permanent", "\(permanent.data.text())")
        let transient = try instance.runToEnd(
            "user.transient", argv: ["/bin/sh", "-c", "exit 75"],
            policies: ["retry": ["count": 2, "delay": 0.1]])
        #expect(transient.outcome == "failed_transient")
        #expect(transient.data["attempts"]?.int == 3, "one try and two retries")
        let letters = try json("scheduler", "dlq", "list")
        #expect(letters.text().contains("user.transient"), "\(letters.text())")
    }

    /// Bytes that are no text, then text, then bytes again: one of the two holds each time.
    @Test func inputFileReachesTheCommandByteForByte() throws {
        let file = "/tmp/aico-input-\(getpid())"
        defer { unlink(file) }
        let contents: [[UInt8]] = [
            Array(0...255), Array("text é\u{0}\n".utf8), [0xFF, 0x0A, 0x80], [],
        ]
        for (index, bytes) in contents.enumerated() {
            let descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
            #expect(write(descriptor, bytes, bytes.count) == bytes.count)
            close(descriptor)
            let made =
                index == 0
                ? try aico(
                    "scheduler", "create", "user.input", "@yearly", "--input", "@\(file)", "--",
                    "/usr/bin/od", "-v", "-An", "-tx1", "-w512")
                : try aico("scheduler", "update", "user.input", "--input", "@\(file)")
            #expect(made.status == Code.done, "\(made.output)")
            let run = try aico("scheduler", "run", "user.input", "--follow")
            let hex = bytes.map { String(Int($0) + 0x100, radix: 16).dropFirst() }
            #expect(run.status == Code.done)
            #expect(
                bytes.isEmpty || run.output.contains(hex.joined(separator: " ")), "\(run.output)")
            let config = try json("scheduler", "show", "user.input")["task"]?["config"]
            let isText = String(validating: bytes, as: UTF8.self) != nil
            #expect((config?["stdin"] != nil) == isText)
            #expect((config?["stdin_base64"] != nil) == !isText)
        }
        #expect(try aico("scheduler", "delete", "user.input").status == Code.done)
    }

    @Test func everyLayerHoldsInEveryAttempt() throws {
        let ended = try OneInstance.shared().runToEnd("user.layers", argv: ["/bin/true"])
        let held = ended.attempt["layers"]?["held"]?.array?.compactMap(\.string) ?? []
        #expect(
            held.sorted() == [
                "capabilities", "cgroup", "descriptors", "identity", "keyring", "landlock",
                "mounts", "namespaces", "no_new_privs", "parent_death_signal", "rlimits",
                "seccomp", "session",
            ])
        #expect(ended.attempt["layers"]?["missing"]?.array == [])
    }

    @Test func commandRunsByTheClockEverySecond() throws {
        let instance = try OneInstance.shared()
        let events = try instance.client()
        try events.subscribe(prefix: "scheduler.event.execution.finished")
        #expect(
            try aico("scheduler", "create", "user.clock", "interval:1", "--", "/bin/true").status
                == Code.done)
        var planned: [String] = []
        let deadline = ContinuousClock.now + Built.patience(seconds: 30)
        while planned.count < 3, ContinuousClock.now < deadline {
            guard let event = try events.nextEvent(timeout: .seconds(5)),
                event.data["task"]?.string == "user.clock"
            else { continue }
            planned.append(event.data["execution"]?.string ?? "")
        }
        #expect(Set(planned).count == 3, "three executions, each once: \(planned)")
        #expect(try aico("scheduler", "delete", "user.clock").status == Code.done)
        let history = try json("scheduler", "history", "user.clock")["executions"]?.array ?? []
        let instants = history.compactMap { $0["planned_at"]?.string }
        #expect(Set(instants).count == instants.count, "no instant twice: \(instants)")
    }

    @Test func statsHealthAndProcessesAreTold() throws {
        #expect(try json("scheduler", "stats")["tasks"] != nil)
        // Failed on purpose by tests before this one, it may be degraded: then the status is 1.
        let (output, _) = try OneInstance.shared().aico(["scheduler", "health", "--json"])
        let health = try JSONValue.parse(Array(output.utf8))
        #expect(health["workers"]?.array?.count == 4)
        let status = try json("supervisor", "status")
        #expect(status.text().contains("scheduler"), "\(status.text())")
    }

    @Test(arguments: [
        (["scheduler", "show", "user.nobody"], Code.notFound, "there is no task \"user.nobody\""),
        (
            ["scheduler", "create", "user.x", "61 * * * *", "--", "/bin/true"], Code.usage,
            "minute"
        ),
        (["scheduler", "create", "root.x", "@daily", "--", "/bin/true"], Code.usage, "must start"),
        (["scheduler", "create", "user.x"], Code.usage, "schedule"),
        (["schedule", "check", "* * 31 2"], Code.usage, "field"),
        (["scheduler", "frob"], Code.usage, "frob"),
    ])
    func mistakeIsExplained(words: [String], status: Int32, text: String) throws {
        let (output, code) = try OneInstance.shared().aico(words)
        #expect(code == status, "\(words): \(output)")
        #expect(output.contains(text), "\(output)")
    }

    @Test func withoutASystemThereIsNoDaemon() throws {
        let (output, status) = try OneInstance.shared().aico(
            ["scheduler", "list", "--root", "/nonexistent"])
        #expect(status == Code.noDaemon || output.contains("key"), "\(output)")
    }
}
