// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import ArgumentParser
import Testing

@testable import AicoCommands

/// What the parser refuses is refused with what was probably meant.
struct ParserHintTests {
    struct Fault: Sendable, CustomTestStringConvertible {
        let arguments: [String]
        let hint: String
        var testDescription: String { arguments.joined(separator: " ") }

        init(_ line: String, hint: String) {
            arguments = line.split(separator: " ").map { $0 == "''" ? "a b" : String($0) }
            self.hint = hint
        }
    }

    @Test(arguments: [
        Fault("scheduler lst", hint: "type: aico scheduler list"),
        Fault("shceduler list", hint: "type: aico scheduler"),
        Fault("--root /x scheduler lst", hint: "type: aico --root /x scheduler list"),
        Fault("list", hint: "type: aico scheduler list"),
        Fault("scheduler status", hint: "type: aico supervisor status"),
        Fault("scheduler dlq lst", hint: "type: aico scheduler dlq list"),
        Fault("supervisor frobnicate", hint: "the verbs are status, stop"),
        Fault("scheduler list --clas user", hint: "write --class"),
        Fault("scheduler list --clas=user", hint: "write --class"),
        Fault("scheduler create user.x @daily --cwd /tmp -- /bin/true", hint: "write --directory"),
        Fault("scheduler create user.x @daily --cwd /tmp /bin/true", hint: "write --directory"),
        Fault(
            "scheduler create user.x @daily /bin/echo hi",
            hint: "write the command behind two dashes: -- /bin/echo hi"),
        Fault(
            "scheduler create user.x @daily --timeout 5m --idle-only /bin/sh -c ''",
            hint: "write the command behind two dashes: -- /bin/sh -c 'a b'"),
        Fault(
            "scheduler update user.x --tz UTC /bin/ls --all",
            hint: "write the command behind two dashes: -- /bin/ls --all"),
        Fault(
            "scheduler create user.x 0 2 * * * -- /bin/true",
            hint: "put the schedule into quotes, as in \"0 2 * * *\""),
        Fault(
            "scheduler create user.x @daily --idle-only --no-idle-only -- /bin/true",
            hint: "leave out one of them"),
        Fault(
            "scheduler update user.x --merge-output --no-merge-output",
            hint: "leave out one of them"),
    ])
    func refusalSaysWhatWasMeant(fault: Fault) throws {
        let run = CommandRun(fault.arguments, root: try CommandRoot())
        #expect(run.status == 2)
        #expect(run.talk.hasPrefix("aico: "))
        #expect(run.talk.hasSuffix("\nhint: \(fault.hint)\n"), "\(run.talk)")
        #expect(!run.talk.contains("Did you mean"))
    }

    /// Every option that a synonym leads to is one of a verb.
    @Test func synonymsLeadToOptions() throws {
        let options = try VerbTree.load().allOptions
        for option in ParserHint.synonyms.values { #expect(options.contains("--\(option)")) }
    }

    @Test(arguments: [
        ("90", 90), ("90s", 90), ("5m", 300), ("1.5h", 5400), ("1h30m", 5400),
        ("1d2h3m4s", 93784), ("0", 0), ("-5", -5), ("-1h30m", -5400),
    ])
    func spansAreRead(text: String, seconds: Double) {
        #expect(TypedSpan.seconds(text) == seconds)
    }

    @Test(arguments: [
        "", "-", "--5", "m", "5x", "30m1h", "1h1h", "1h30", "1.2.3", ".5", "5.", "1 h", "inf",
        "nan",
        "0x10", "1e3", "+5", "é", "1h-5m",
    ])
    func whatIsNoSpanIsNone(text: String) { #expect(TypedSpan.seconds(text) == nil) }
}
