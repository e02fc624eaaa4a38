// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import FileIntegrity
import Foundation
import TaskKit
import Testing

@testable import SecurityTasks

@Suite struct BaselineTests {
    private static let hash = String(repeating: "0a", count: 32)

    private static func document(
        _ changes: [String: JSONValue?] = [:], version: JSONValue = 1
    ) -> JSONValue {
        var file: [String: JSONValue] = [
            "path": "/aico/bin/aico", "uid": 0, "gid": 0, "mode": 0o100755, "size": 3,
            "sha256": .string(hash),
        ]
        for (name, value) in changes { file[name] = value }
        return ["version": version, "files": .array([.object(file)])]
    }

    private static func read(_ document: JSONValue) throws(BaselineError) -> Baseline {
        try Baseline(document.serialized(), directories: ["/aico/bin"])
    }

    @Test func everyFactIsRead() throws {
        #expect(
            try Self.read(Self.document()).files == [
                "/aico/bin/aico": FileFacts(
                    uid: 0, gid: 0, mode: 0o100755, bytes: 3, sha256: Self.hash)
            ])
    }

    @Test(
        arguments: [
            ("path", "bin/aico"), ("path", "/aico/bin/../keys/a"), ("path", "/aico/bin//a"),
            ("path", nil), ("path", 7), ("uid", -1), ("uid", 4_294_967_296), ("uid", "0"),
            ("gid", nil), ("mode", 1.5), ("size", -1), ("sha256", "00"),
            ("sha256", .string(String(repeating: "0A", count: 32))),
        ] as [(String, JSONValue?)])
    func aWrongFactIsNamed(name: String, value: JSONValue?) {
        #expect(throws: BaselineError(reason: "file 1 has a wrong \"\(name)\"")) {
            try Self.read(Self.document([name: value]))
        }
    }

    @Test(arguments: ["/aico/binary/a", "/aico/bin", "/etc/passwd"])
    func aFileElsewhereIsRefused(path: String) {
        #expect(throws: BaselineError(reason: "\"\(path)\" is in none of the directories")) {
            try Self.read(Self.document(["path": .string(path)]))
        }
    }

    @Test(arguments: [
        ("", "JSON"), ("[]", "version"), (#"{"version":2,"files":[]}"#, "version"),
        (#"{"version":1}"#, "no list"), (#"{"version":1,"files":[]}"#, "names no file"),
        (#"{"version":1,"files":[7]}"#, "file 1"),
    ])
    func whatIsNoBaselineIsRefused(text: String, reason: String) {
        #expect {
            try Baseline(Array(text.utf8), directories: ["/aico/bin"])
        } throws: {
            "\($0)".contains(reason)
        }
    }

    @Test func aFileThatIsThereTwiceIsRefused() throws {
        let file = try #require(Self.document()["files"]?.array?.first)
        #expect(throws: BaselineError(reason: "\"/aico/bin/aico\" is there twice")) {
            try Self.read(["version": 1, "files": .array([file, file])])
        }
    }

    @Test(
        .enabled(if: geteuid() == 0, "root alone can read a baseline of its own"),
        arguments: [mode_t(0o620), 0o602])
    func aBaselineThatOthersMayWriteIsNotTrusted(mode: mode_t) async throws {
        let scratch = try IntegrityScratch()
        try scratch.record()
        #expect(chmod(scratch.baseline, mode) == 0)
        let message = try #require(try await scratch.check())
        #expect(message.contains(scratch.baseline))
        #expect(message.contains("others than its owner may write it"))
    }

    @Test func aLinkInItsPlaceIsNotFollowed() async throws {
        let scratch = try IntegrityScratch()
        try scratch.record()
        #expect(rename(scratch.baseline, scratch.path + "/moved") == 0)
        #expect(symlink(scratch.path + "/moved", scratch.baseline) == 0)
        let message = try #require(try await scratch.check())
        #expect(message.hasPrefix("cannot read \"\(scratch.baseline)\""))
    }

    @Test func withoutABaselineNothingPasses() async throws {
        let scratch = try IntegrityScratch()
        let message = try #require(try await scratch.check())
        #expect(message.contains("No such file"))
    }

    @Test(
        arguments: [
            ["directories": []], ["directories": ["bin"]], ["directories": ["/aico/"]],
            ["baseline": "baseline.json"], ["ignore": ["/a/../b"]], ["programs": "bin"],
            ["ignores": []],
        ] as [JSONValue])
    func aConfigThatCannotBeMeantIsRefused(config: JSONValue) {
        #expect(throws: ConfigError.self) { try IntegrityCheckConfig.read(config) }
    }
}
