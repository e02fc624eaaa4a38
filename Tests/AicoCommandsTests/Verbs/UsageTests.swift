// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Foundation
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
            message: "cannot read --env: it has no name before a \"=\""),
        Fault(
            "scheduler", "create", "user.x", "@daily", "--env", "BAD NAME=1", "--", "/bin/true",
            message: "cannot set the variable \"BAD NAME\": a name has letters, digits and _, and "
                + "begins with no digit\nhint: write --env BAD_NAME=VALUE"),
        Fault(
            "scheduler", "update", "user.x", "--env", "1st=1",
            message: "hint: write --env _1st=VALUE"),
        Fault(
            "scheduler", "create", "user.x", "@daily", "--env", "AICO_TASK_ID=x", "--",
            "/bin/true",
            message: "cannot set the variable \"AICO_TASK_ID\": the scheduler sets what begins "
                + "with AICO_\nhint: write --env MY_TASK_ID=VALUE"),
        Fault(
            "scheduler", "create", "user.x", "@daily", "--config",
            "{\"argv\":[\"/bin/true\"],\"environment\":{\"AICO_X\":\"1\"}}",
            message: "cannot set the variable \"AICO_X\""),
        Fault(
            "scheduler", "create", "user.x", "@daily", "--", "",
            message: "cannot run a program without a name: the command's first word is empty\n"
                + "hint: write its path after the dashes, as in -- /usr/bin/true"),
        Fault(
            "scheduler", "update", "user.x", "--", " ", "a",
            message: "the command's first word is empty"),
        Fault(
            "scheduler", "create", "user.x", "@daily", "--config", "{\"argv\":[]}",
            message: "the command's first word is empty"),
        Fault(
            "scheduler", "create", "user.x", "@daily", "--config",
            "{\"argv\":[\"/bin/echo\",\"a\\u0000b\"]}",
            message: "cannot use word 2 of the command: it has a zero byte in it"),
        Fault(
            "scheduler", "create", "user.x", "@daily", "--", "echo 'a b' > /tmp/x",
            message: "hint: leave the quotes out, or have a shell read it: "
                + "-- /bin/sh -c 'echo '\\''a b'\\'' > /tmp/x'"),
        Fault(
            "scheduler", "create", "user.x", "@every 5m", "--", "/bin/true",
            message: "hint: write interval:5m"),
        Fault(
            "scheduler", "create", "user.x", "TZ=Asia/Tokyo 0 2 * * *", "--", "/bin/true",
            message: "hint: write \"0 2 * * *\", and the zone apart: --timezone Asia/Tokyo"),
        Fault(
            "scheduler", "create", "user.x", "@daily", "--config", "@/tmp",
            message: "cannot read \"/tmp\": Is a directory"),
        Fault(
            "scheduler", "create", "user.x", "@daily", "--timeout", "-5", "--", "/bin/true",
            message: "cannot use --timeout \"-5\": it is negative; it must be seconds from 0.1 to "
                + "604800\nhint: write --timeout 5\n"),
        Fault(
            "scheduler", "list", "--limit", "-3",
            message: "it must be at least 1\nhint: write --limit 1 or more"),
        Fault(
            "scheduler", "history", "-n", "-3",
            message: "it must be at least 1\nhint: write --limit 1 or more"),
        Fault(
            "scheduler", "show", "photos",
            message: "cannot tell what \"photos\" names: a task's id has a dot in it, an "
                + "execution's is 4 or more hex digits\nhint: see both with"),
        Fault("scheduler", "cancel", "3f2", message: "cannot tell what \"3f2\" names"),
        Fault("scheduler", "logs", "", message: "cannot tell what \"\" names"),
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
        Fault(
            "scheduler", "history", "--limit", "0",
            message: "it must be at least 1\nhint: write --limit 1 or more"),
        Fault("scheduler", "list", "--class", "usr", message: "hint: write --class user"),
        Fault(
            "scheduler", "list", "--watch", "--json",
            message: "cannot take --watch and --json together"),
        Fault(
            "scheduler", "logs", "user.x", "--follow", "--json",
            message: "cannot take --follow and --json together"),
        Fault(
            "scheduler", "logs", "user.x", "--tail", "-1",
            message: "it must be at least 1\nhint: write --tail 1 or more"),
        Fault(
            "scheduler", "next", "--count", "0",
            message: "it must be at least 1\nhint: write --count 1 or more"),
        Fault("scheduler", "dlq", "purge", message: "neither a dead letter nor --all is given"),
        Fault(
            "scheduler", "dlq", "purge", "7", "--all",
            message: "cannot take a number and --all together"),
        Fault("scheduler", "dlq", "retry", "x", message: "x"),
        Fault("scheduler", "delete", message: "ids"),
        Fault("scheduler", "lst", message: "'lst'\n"),
        Fault(
            "scheduler", "create", "user.x", "@daily", "--grace", "-5000", "--", "/bin/true",
            message: "it is negative; it must be seconds from 0 to 300\nhint: write --grace 0\n"),
        Fault(
            "scheduler", "create", "user.x", "@daily", "--grace", "700000000", "--", "/bin/true",
            message: "cannot use --grace \"700000000\": it must be seconds from 0 to 300\n"
                + "hint: write --grace 300\n"),
        Fault(
            "scheduler", "create", "user.x", "@daily", "--grace", "30m1h", "--", "/bin/true",
            message: "it is not a span of time\nhint: write --grace 90, --grace 90s, --grace 5m or "
                + "--grace 1h30m\n"),
        Fault(
            "scheduler", "create", "user.x", "@daily", "--timeout", "700000000", "--",
            "/bin/true",
            message: "it must be seconds from 0.1 to 604800, and no more than the profile of the "
                + "task's class permits (limits.wall_seconds)\n"
                + "hint: leave --timeout out for the default of the class\n"),
        Fault(
            "scheduler", "history", "--since", "-2h",
            message: "it is negative, and spans count back from now\nhint: write --since 2h\n"),
        Fault(
            "scheduler", "history", "--since", "700000000",
            message: "the longest span is 3650d\nhint: write --since 3650d, or an instant"),
        Fault(
            "scheduler", "create", "user.x", "TZ=Berlin 0 2 * * *", "--", "/bin/true",
            message: "a schedule carries no variables, and cannot use time zone \"Berlin\": there "
                + "is no such zone in /usr/share/zoneinfo\n"
                + "hint: write \"0 2 * * *\", and the zone apart: --timezone Europe/Berlin\n"),
        Fault(
            "scheduler", "create", "user.x", "TZ=Xyzzyville 0 2 * * *", "--", "/bin/true",
            message: "--timezone with a name below /usr/share/zoneinfo, as Europe/Berlin\n"),
        Fault(
            "scheduler", "update", "maintenance.log_cleanup", "--", "/bin/true",
            message: "cannot give \"maintenance.log_cleanup\" a command: a task of class "
                + "maintenance runs its type's own code, only user and custom tasks run commands\n"
                + "hint: its schedule, policies and --config can be changed; see what they are with "
                + "\"aico scheduler show maintenance.log_cleanup\"\n"),
        Fault(
            "scheduler", "create", "user.x", "@daily", "--retry-delay", "2h", "--retry-max-delay",
            "1h", "--", "/bin/true",
            message: "cannot wait 2h before a retry: --retry-max-delay 1h is the longest\n"
                + "hint: write a --retry-delay of at most 1h, or a longer --retry-max-delay\n"),
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

    @Test func aFileThatIsNoTextIsRefusedWithThePlace() throws {
        let root = try CommandRoot()
        let path = "\(root.path)/bytes"
        try Data([0x61, 0xC3, 0xA9, 0xFF, 0x62]).write(to: URL(fileURLWithPath: path))
        let run = CommandRun(
            ["scheduler", "create", "user.x", "@daily", "--config", "@\(path)", "--", "/bin/cat"],
            root: root)
        #expect(run.status == 2)
        #expect(
            run.talk == """
                aico: cannot read "\(path)": it is not UTF-8 from byte 3 on
                hint: write its JSON in UTF-8

                """)
    }

    /// A value may be a secret.
    @Test(arguments: ["TOKEN NAME=hunter2", "AICO_TOKEN=hunter2", "=hunter2", "hunter2 hunter2"])
    func valuesOfVariablesAreNotShown(text: String) {
        let run = CommandRun([
            "scheduler", "create", "user.x", "@daily", "--env", text, "--", "/bin/true",
        ])
        #expect(run.status == 2)
        #expect(!run.talk.contains("hunter2"))
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

    /// Each can be typed as it stands: see `HintTests`.
    @Test func withoutAVerbItShowsTheFiveThatAreUsedMostAndTheWayToTheOthers() {
        let run = CommandRun([])
        #expect(run.status == 0)
        #expect(run.talk == "")
        #expect(
            run.output == """
                Schedule tasks and see what they did.

                  aico scheduler create user.hello @hourly -- /bin/echo hello  make a task
                  aico scheduler run user.hello --follow                       run it now
                  aico scheduler list                                          what is due when
                  aico scheduler history                                       what ran, and how
                  aico scheduler logs user.hello                               what it said

                  aico scheduler --help                                        all verbs on tasks
                  aico scheduler create --help                                 options of one
                  aico schedule --help                                         try a schedule
                  aico supervisor --help                                       the system itself

                """)
    }

    @Test func aWrongVerbOrOptionOfTheProgramIsStillRefused() {
        for words in [["frob"], ["--frob"], ["list"]] {
            let run = CommandRun(words)
            #expect(run.status == 2, "\(words)")
            #expect(run.output == "" && run.talk.hasPrefix("aico: "), "\(words): \(run.talk)")
        }
    }

    @Test func helpSaysTheExitCodes() {
        #expect(
            CommandRun(["--help"]).output.contains(
                "0 done, 1 failed, 2 usage, 3 not found, 4 refused, 5 no daemon"))
    }
}
