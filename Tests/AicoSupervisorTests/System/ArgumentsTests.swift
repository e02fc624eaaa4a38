// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Testing

@testable import AicoSupervisor

@Suite struct ArgumentsTests {
    struct Refused: Sendable, CustomTestStringConvertible {
        var words: [String] = []
        var environment: [String: String] = [:]
        var text: String

        var testDescription: String { text }
    }

    static func read(
        _ words: [String], _ environment: [String: String] = [:]
    ) throws(Arguments.Refusal) -> Arguments {
        try Arguments(words) { environment[$0] }
    }

    static let refused = [
        Refused(words: ["--rot", "/x"], text: "unknown argument '--rot'"),
        Refused(words: ["--root=/x"], text: "unknown argument '--root=/x'"),
        Refused(words: ["/x"], text: "unknown argument '/x'"),
        Refused(words: ["--check", ""], text: "unknown argument ''"),
        Refused(words: ["--root"], text: "--root needs a directory"),
        Refused(words: ["--check", "--profiles"], text: "--profiles needs a directory"),
        Refused(words: ["--root", ""], text: "--root needs an absolute path, not ''"),
        Refused(words: ["--root", "x/y"], text: "--root needs an absolute path, not 'x/y'"),
        Refused(
            words: ["--profiles", "--check"],
            text: "--profiles needs an absolute path, not '--check'"),
        Refused(
            words: ["--root", "/a/../b"],
            text: "--root needs a path without '.' and '..', not '/a/../b'"),
        Refused(
            words: ["--profiles", "/a/."],
            text: "--profiles needs a path without '.' and '..', not '/a/.'"),
        Refused(
            environment: ["AICO_ROOT": "relative"],
            text: "AICO_ROOT needs an absolute path, not 'relative'"),
        Refused(
            words: ["--root", "/x"], environment: ["AICO_PROFILES": "/.."],
            text: "AICO_PROFILES needs a path without '.' and '..', not '/..'"),
    ]

    @Test(arguments: refused) func isRefusedWithItsWord(refused: Refused) {
        #expect(throws: Arguments.Refusal(text: refused.text)) {
            try Self.read(refused.words, refused.environment)
        }
    }

    @Test func aPathLongerThanThePlanTakesIsRefused() throws {
        let longest = "/" + String(repeating: "x", count: 1023)
        #expect(try Self.read(["--profiles", longest]).profiles == longest)
        #expect(throws: Arguments.Refusal.self) { try Self.read(["--profiles", longest + "x"]) }
    }

    @Test func nothingMeansTheInstalledSystem() throws {
        let arguments = try Self.read([])
        #expect(arguments.root.isEmpty && arguments.profiles == nil && !arguments.isCheck)
        #expect(try Self.read([], ["AICO_ROOT": "", "AICO_PROFILES": ""]) == arguments)
    }

    @Test func pathsLoseEmptyPartsAndTheRootIsEmpty() throws {
        #expect(try Self.read(["--root", "//a///b/"]).root == "/a/b")
        #expect(try Self.read(["--root", "/"]).root.isEmpty)
        // Names that only look like '..' are names.
        #expect(try Self.read(["--root", "/..a/b.."]).root == "/..a/b..")
    }

    @Test func theCommandLineBeatsTheEnvironment() throws {
        let environment = ["AICO_ROOT": "/env", "AICO_PROFILES": "/env/profiles"]
        let fromEnvironment = try Self.read(["--check"], environment)
        #expect(fromEnvironment.root == "/env")
        #expect(fromEnvironment.profiles == "/env/profiles")
        #expect(fromEnvironment.isCheck)
        let words = ["--root", "/line", "--profiles", "/p"]
        let fromLine = try Self.read(words, environment)
        #expect(fromLine.root == "/line" && fromLine.profiles == "/p")
    }

    @Test func aRootThatLeavesNoRoomForItsSocketsIsRefused() throws {
        let longest = "/" + String(repeating: "r", count: Arguments.maximumRootBytes - 1)
        #expect(try Arguments(["--root", longest], environment: { _ in nil }).root == longest)
        let refusal = #expect(throws: Arguments.Refusal.self) {
            try Arguments(["--root", longest + "r"], environment: { _ in nil })
        }
        let text = try #require(refusal?.text)
        #expect(text.hasPrefix("--root has \(longest.utf8.count + 1) bytes, and at most"))
        #expect(throws: Arguments.Refusal.self) {
            try Arguments([], environment: { $0 == "AICO_ROOT" ? longest + "r" : nil })
        }
    }
}
