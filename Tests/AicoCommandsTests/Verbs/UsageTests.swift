// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Testing

@testable import AicoCommands

/// Command lines that are wrong, and are refused before anything is sent.
struct UsageTests {
    struct Fault: Sendable, CustomTestStringConvertible {
        let arguments: [String]
        let message: String
        var testDescription: String { arguments.joined(separator: " ") }

        init(_ arguments: String..., message: String) {
            self.arguments = arguments
            self.message = message
        }
    }

    private static let faults = [
        Fault(
            "scheduler", "create", "photos", "@daily", "--", "/bin/true",
            message: "must have two to six parts joined by dots"),
        Fault(
            "scheduler", "create", "user.x", "61 * * * *", "--", "/bin/true",
            message: "cannot read minute \"61\": the largest is 59"),
        Fault(
            "scheduler", "create", "user.x", "@daily", "--tz", "Mars", "--", "/bin/true",
            message: "cannot use time zone \"Mars\""),
        Fault(
            "scheduler", "create", "user.x", "@daily", message: "a task that runs nothing"),
        Fault(
            "scheduler", "create", "maintenance.x", "@daily", "--type", "maintenance.log_cleanup",
            "--", "/bin/true", message: "only user.command runs one"),
        Fault(
            "scheduler", "create", "user.x", "@daily", "--timeout", "soon", "--", "/bin/true",
            message: "cannot read --timeout \"soon\": it is not a span of time"),
        Fault(
            "scheduler", "create", "user.x", "@daily", "--overlap", "skp", "--", "/bin/true",
            message: "hint: write --overlap skip"),
        Fault(
            "scheduler", "create", "user.x", "@daily", "--misfire", "zzzzz", "--", "/bin/true",
            message: "hint: write one of run_once, skip, run_all"),
        Fault(
            "scheduler", "create", "user.x", "@daily", "--env", "=x", "--", "/bin/true",
            message: "cannot read --env \"=x\""),
        Fault(
            "scheduler", "create", "user.x", "@daily", "--config", "[]",
            message: "cannot read --config: it is no JSON object"),
        Fault(
            "scheduler", "create", "user.x", "@daily", "--config", "{", message: "cannot read"),
        Fault(
            "scheduler", "create", "user.x", "@daily", "--config", "@/nonexistent",
            message: "cannot read \"/nonexistent\": No such file or directory"),
        Fault("scheduler", "update", "user.x", message: "nothing is to be changed"),
        Fault(
            "scheduler", "update", "user.x", "--unset", "timeot",
            message: "hint: write --unset timeout"),
        Fault(
            "scheduler", "history", "--outcome", "suceeded",
            message: "hint: write --outcome succeeded"),
        Fault("scheduler", "history", "--since", "x", message: "neither a span nor an instant"),
        Fault("scheduler", "history", "--limit", "0", message: "--limit must be at least 1"),
        Fault("scheduler", "list", "--class", "usr", message: "hint: write --class user"),
        Fault(
            "scheduler", "list", "--watch", "--json",
            message: "cannot take --watch and --json together"),
        Fault(
            "scheduler", "logs", "user.x", "--follow", "--json",
            message: "cannot take --follow and --json together"),
        Fault("scheduler", "logs", "user.x", "--tail", "-1", message: "--tail"),
        Fault("scheduler", "next", "--count", "0", message: "--count must be at least 1"),
        Fault("scheduler", "dlq", "purge", message: "neither a dead letter nor --all is given"),
        Fault(
            "scheduler", "dlq", "purge", "7", "--all",
            message: "cannot take a number and --all together"),
        Fault("scheduler", "dlq", "retry", "x", message: "x"),
        Fault("scheduler", "delete", message: "ids"),
        Fault("scheduler", "lst", message: "lst"),
    ]

    @Test(arguments: faults)
    func aWrongCommandLineIsTwo(fault: Fault) throws {
        let root = try CommandRoot()
        let run = CommandRun(fault.arguments, root: root)
        #expect(run.status == 2)
        #expect(run.output == "")
        #expect(run.talk.hasPrefix("aico: "))
        #expect(run.talk.contains(fault.message))
    }

    @Test(arguments: [
        ["--help"], ["scheduler", "create", "--help"], ["supervisor", "--help"], ["--version"],
        ["schedule", "next", "--help"],
    ])
    func helpIsDataAndDone(arguments: [String]) {
        let run = CommandRun(arguments)
        #expect(run.status == 0)
        #expect(!run.output.isEmpty)
        #expect(run.talk == "")
    }

    @Test func helpSaysTheExitCodes() {
        #expect(
            CommandRun(["--help"]).output.contains(
                "0 done, 1 failed, 2 usage, 3 not found, 4 refused, 5 no daemon"))
    }
}
