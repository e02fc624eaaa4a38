// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Foundation
import Glibc
import Testing

@testable import AicoCommands

/// Standard output that takes nothing, or no more.
@Suite(.serialized)
struct OutputFaultTests {
    private static let full = """
        aico: cannot write to standard output: No space left on device
        hint: write it elsewhere; what was changed or started before stays so

        """

    @Test(arguments: Verb.all.filter(\.isReading), [[], ["--json"]])
    func whatCannotBeWrittenIsOneAndSaid(verb: Verb, options: [String]) throws {
        let root = try CommandRoot()
        let bus = try FakeBus(root, Samples.reading)
        let run = CommandRun(verb.arguments + options, root: root, writable: 0, fault: ENOSPC)
        #expect(run.status == 1)
        #expect(run.talk == Self.full)
        #expect(!bus.requests.isEmpty)
    }

    @Test(arguments: [
        ["--help"], ["--version"], ["schedule", "check", "@daily"],
        ["schedule", "next", "@daily", "--json"],
    ])
    func noDaemonIsNeededForThat(arguments: [String]) {
        let run = CommandRun(arguments, writable: 0, fault: ENOSPC)
        #expect(run.status == 1)
        #expect(run.talk == Self.full)
    }

    /// A list that changes as soon as it was read, so that a watch shows it again at once.
    private static let changing: FakeBus.Script = { request in
        var answer = Samples.reading(request)
        answer.events = [.init(topic: .health, data: [:])]
        return answer
    }

    @Test func aReaderThatLeftEndsAWatchQuietly() throws {
        let root = try CommandRoot()
        let bus = try FakeBus(root, Self.changing)
        let run = CommandRun(["scheduler", "list", "--watch"], root: root, writable: 1)
        #expect(run.status == 141)
        #expect(run.talk == "")
        #expect(run.output.hasPrefix("TASK "))
        #expect(bus.requests.count == 2)
    }

    @Test func interruptionEndsAWatchAsShellsSayIt() throws {
        let root = try CommandRoot()
        let bus = try FakeBus(root, Samples.reading)
        let run = CommandRun(
            ["scheduler", "list", "--watch"], root: root, isInterrupted: { true })
        #expect(run.status == 130)
        #expect(run.talk == "")
        #expect(bus.requests.isEmpty)
    }

    // MARK: The executable

    private func aico(
        _ arguments: [String], output: Any, input: String = ""
    ) throws -> (status: Int32, talk: String, reason: Process.TerminationReason) {
        let process = Process()
        let bundle = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        process.executableURL = bundle.appending(path: "aico")
        process.arguments = arguments
        process.standardOutput = output
        let errors = Pipe()
        let words = Pipe()
        process.standardError = errors
        process.standardInput = words
        try process.run()
        words.fileHandleForWriting.write(Data(input.utf8))
        try words.fileHandleForWriting.close()
        let talk = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (
            process.terminationStatus, String(decoding: talk, as: UTF8.self),
            process.terminationReason
        )
    }

    @Test(arguments: [
        ["schedule", "next", "@hourly", "--json"], ["--help"], ["schedule", "next", "--stdin"],
    ])
    func aFullDeviceIsReported(arguments: [String]) throws {
        let full = try #require(FileHandle(forWritingAtPath: "/dev/full"))
        let run = try aico(arguments, output: full, input: "{\"expr\":\"@daily\"}\n")
        #expect(run.status == 1)
        #expect(run.talk == Self.full)
    }

    /// With SIGPIPE ignored, as under some services, the error of write(2) has to end it.
    @Test func aWatchEndsWithItsReader() throws {
        let root = try CommandRoot()
        let bus = try FakeBus(root, Self.changing)
        signal(SIGPIPE, SIG_IGN)
        let output = Pipe()
        let reader = Thread {
            _ = output.fileHandleForReading.readData(ofLength: 1)
            try? output.fileHandleForReading.close()
        }
        reader.start()
        let run = try aico(
            ["--root", root.path, "scheduler", "list", "--watch"],
            output: output.fileHandleForWriting)
        #expect(run.reason == .exit)
        #expect(run.status == 141)
        #expect(run.talk == "")
        #expect(bus.requests.count >= 1)
    }
}
