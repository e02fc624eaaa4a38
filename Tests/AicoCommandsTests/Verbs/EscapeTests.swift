// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Foundation
import Testing

@testable import AicoCommands

/// No text that came from outside steers the terminal, whichever verb shows it.
@Suite(.serialized)
struct EscapeTests {
    /// Replies whose every text, names of members apart, carries what a terminal must not get.
    static let script: FakeBus.Script = { request in
        let answer = Samples.reading(request)
        switch answer.outcome {
        case .success(let data): return .data(poisoned(data))
        case .failure:
            let data = FollowScript.data(["state": "queued", "reason": "x", "detail": "y"])
            return request.topic == .taskRun
                ? .data(
                    poisoned(data, keeping: ["state", "execution"]),
                    events: [
                        .init(topic: .executionFinished, data: poisoned(FollowScript.data()))
                    ])
                : .refusal(.conflict, "refused \(Samples.hostile)", hint: Samples.hostile)
        }
    }

    private static func poisoned(_ json: JSONValue, keeping kept: Set<String> = []) -> JSONValue {
        switch json {
        case .null, .bool, .int, .double: json
        case .string(let text):
            // Instants and states decide what is shown; the rest is only shown.
            Instant(iso8601: text) != nil || ["ended", "queued"].contains(text)
                ? json : .string(text + Samples.hostile + "\u{85}\u{2067}\u{200F}\u{7F}\u{FFFE}")
        case .array(let elements): .array(elements.map { poisoned($0, keeping: kept) })
        case .object(let members):
            .object(
                Dictionary(
                    uniqueKeysWithValues: members.map { key, value in
                        (key, kept.contains(key) ? value : poisoned(value, keeping: kept))
                    }))
        }
    }

    @Test(arguments: Verb.all, [[], ["--json"]])
    func noVerbPassesIt(verb: Verb, options: [String]) throws {
        if !options.isEmpty, !verb.isReading { return }
        let root = try CommandRoot()
        let bus = try FakeBus(root, Self.script)
        let run = CommandRun(verb.arguments + options, root: root)
        #expect(!(run.output + run.talk).isEmpty)
        // Escaped once more nothing changes: there was nothing left to escape.
        #expect(PlainText(lines: run.output).text == run.output)
        #expect(PlainText(lines: run.talk).text == run.talk)
        #expect(!bus.requests.isEmpty)
    }

    /// The type keeps texts out of the console; this keeps the console the only way out.
    @Test func outputHasOneWayOut() throws {
        let sources = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Sources/AicoCommands")
        let names = FileManager.default.enumerator(atPath: sources.path)?
            .compactMap { $0 as? String }.filter { $0.hasSuffix(".swift") }
        for name in try #require(names) where !name.hasSuffix("StandardStream.swift") {
            let text = try String(contentsOf: sources.appending(path: name), encoding: .utf8)
            for way in [
                "\n        print(", "Swift.print(", "debugPrint(", "puts(", "FileHandle",
                "STDERR_FILENO",
            ] {
                #expect(!text.contains(way), "\(name) has \(way)")
            }
            let isConsole = name.hasSuffix("Console.swift")
            #expect(isConsole || !text.contains("STDOUT_FILENO"), "\(name)")
            // Bytes are written by one verb, which escapes them as it makes them.
            let takesBytes = name.hasSuffix("ScheduleNext.swift") || isConsole
            #expect(takesBytes || !text.contains("StandardStream.output"), "\(name)")
        }
    }

    /// What a person types comes back in errors and is no better.
    @Test func argumentsAreEscapedToo() {
        for arguments in [
            ["scheduler", "create", "user.x", "\u{1B}[2J\u{202E}", "--", "/bin/true"],
            ["scheduler", "\u{9B}2J"], ["scheduler", "show", "\u{9B}2J"],
            ["schedule", "next", "@daily", "--tz", "\u{9B}2J\u{7}"],
        ] {
            let run = CommandRun(arguments)
            #expect(run.status == 2)
            #expect(PlainText(lines: run.talk).text == run.talk)
        }
    }
}
