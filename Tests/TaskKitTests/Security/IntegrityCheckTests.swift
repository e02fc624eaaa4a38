// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import FileIntegrity
import Foundation
import TaskKit
import Testing

@testable import SecurityTasks

@Suite(.enabled(if: geteuid() == 0, "a baseline must not belong to whom the check runs as"))
struct IntegrityCheckTests {
    @Test func filesAsRecordedPass() async throws {
        let scratch = try IntegrityScratch()
        try scratch.record()
        let recorder = TaskRecorder()
        let result = try await recorder.run(IntegrityCheck.self, config: scratch.config())
        let bytes =
            "content of bin/aico".count + "content of profiles/inner/user".count
            + "content of keys/master".count
        #expect(result == ["status": "unchanged", "files": 3, "bytes": .int(bytes)])
        #expect(recorder.lines.map(\.text) == ["3 files are as recorded"])
        #expect(recorder.progress.last?.fraction == 1)
    }

    @Test func anotherContentOfTheSameLengthIsNamed() async throws {
        let scratch = try IntegrityScratch()
        try scratch.record()
        try scratch.write("bin/aico", "CONTENT of bin/aico")
        let recorder = TaskRecorder()
        let message = try await scratch.check(recorder: recorder)
        #expect(
            message == "1 difference: \(scratch.path)/bin/aico changed: "
                + "another content of the same length")
        #expect(recorder.lines.map(\.stream) == [.error])
    }

    @Test func anotherLengthIsNamed() async throws {
        let scratch = try IntegrityScratch()
        try scratch.record()
        try scratch.write("keys/master", "short")
        #expect(
            try await scratch.check()
                == "1 difference: \(scratch.path)/keys/master changed: 5 bytes, was 22")
    }

    @Test func anotherModeIsNamed() async throws {
        let scratch = try IntegrityScratch()
        let file = scratch.path + "/keys/master"
        #expect(chmod(file, 0o400) == 0)
        try scratch.record()
        #expect(chmod(file, 0o4444) == 0)
        #expect(
            try await scratch.check()
                == "1 difference: \(file) changed: mode 04444, was 0400")
    }

    @Test func anotherOwnerIsNamed() async throws {
        let scratch = try IntegrityScratch()
        try scratch.record()
        #expect(chown(scratch.path + "/profiles/inner/user", 61_003, 61_004) == 0)
        #expect(
            try await scratch.check()
                == "1 difference: \(scratch.path)/profiles/inner/user changed: "
                + "owner 61003:61004, was 0:0")
    }

    @Test func aNewFileOfAnyNameIsNamed() async throws {
        let scratch = try IntegrityScratch()
        try scratch.record()
        for (directory, name) in [("keys", "a"), ("profiles", "b")] {
            let opened = open("\(scratch.path)/\(directory)", O_RDONLY | O_DIRECTORY)
            defer { close(opened) }
            // 0xFF is in no UTF-8.
            let bytes = name.utf8.map { CChar(bitPattern: $0) } + [-1, 0]
            if directory == "keys" {
                close(openat(opened, bytes, O_CREAT | O_WRONLY, 0o600))
            } else {
                #expect(mkdirat(opened, bytes, 0o700) == 0)
            }
        }
        #expect(
            try await scratch.check()
                == "2 differences: \(scratch.path)/profiles/b\u{FFFD} is new; "
                + "\(scratch.path)/keys/a\u{FFFD} is new")
    }

    @Test func aMissingFileIsNamed() async throws {
        let scratch = try IntegrityScratch()
        try scratch.record()
        #expect(unlink(scratch.path + "/keys/master") == 0)
        #expect(
            try await scratch.check() == "1 difference: \(scratch.path)/keys/master is missing")
    }

    @Test func aMissingDirectoryIsAsManyMissingFiles() async throws {
        let scratch = try IntegrityScratch()
        try scratch.record()
        try FileManager.default.removeItem(atPath: scratch.path + "/profiles/inner")
        #expect(
            try await scratch.check()
                == "1 difference: \(scratch.path)/profiles/inner/user is missing")
    }

    @Test func whatIsRecordedHereIsReadThere() async throws {
        let scratch = try IntegrityScratch()
        let paths =
            try FileTree.programs(in: scratch.path + "/bin")
            + scratch.directories.flatMap { try FileTree.paths(below: $0) }
        let baseline = try Baseline(recording: paths) { $0 }
        try scratch.write("baseline.json", String(decoding: baseline.serialized(), as: UTF8.self))
        #expect(try await scratch.check() == nil)
        try scratch.write("bin/aico", "CONTENT of bin/aico")
        #expect(try await scratch.check() != nil)
    }

    /// One file that cannot be read must not end the check of all others.
    @Test func whatCannotBeRecordedIsToldAndCalledNew() async throws {
        let scratch = try IntegrityScratch()
        let path = "\(scratch.path)/profiles/link"
        try FileManager.default.createSymbolicLink(
            atPath: path, withDestinationPath: "/etc/hostname")
        let paths =
            try FileTree.programs(in: scratch.path + "/bin")
            + scratch.directories.flatMap { try FileTree.paths(below: $0) } + [path]
        var left: Set<String> = []
        let baseline = try Baseline(
            recording: paths,
            unreadable: { path, reason in
                left.insert(path)
                #expect(!reason.isEmpty)
            }
        ) { $0 }
        #expect(left == [path])
        #expect(baseline.files.count == Set(paths).count - 1)
        try scratch.write("baseline.json", String(decoding: baseline.serialized(), as: UTF8.self))
        #expect(try await scratch.check() == "1 difference: \(path) is new")
        #expect(throws: BaselineError.self) { try Baseline(recording: [path]) { $0 } }
    }

    @Test(arguments: ["bin/aico-new", "profiles/inner/new", "keys/.hidden"])
    func aNewFileIsNamed(name: String) async throws {
        let scratch = try IntegrityScratch()
        try scratch.record()
        try scratch.write(name, "new")
        #expect(try await scratch.check() == "1 difference: \(scratch.path)/\(name) is new")
    }

    @Test(arguments: ["bin/tool", "bin/aico-bench.product", "bin/aicox"])
    func besidesTheExecutablesOthersMayLie(name: String) async throws {
        let scratch = try IntegrityScratch()
        try scratch.record()
        try scratch.write(name, "new")
        #expect(try await scratch.check() == nil)
    }

    @Test func aNewPipeStopsNothing() async throws {
        let scratch = try IntegrityScratch()
        try scratch.record()
        #expect(mkfifo(scratch.path + "/keys/pipe", 0o600) == 0)
        #expect(try await scratch.check() == "1 difference: \(scratch.path)/keys/pipe is new")
    }

    @Test func aLinkToTheSameContentIsADifference() async throws {
        let scratch = try IntegrityScratch()
        try scratch.record()
        let (file, moved) = (scratch.path + "/bin/aico", scratch.path + "/moved")
        #expect(rename(file, moved) == 0)
        #expect(symlink(moved, file) == 0)
        let message = try #require(try await scratch.check())
        #expect(message.contains("\(file) changed: a link, or reached through one"))
    }

    @Test func aLinkInPlaceOfADirectoryIsADifference() async throws {
        let scratch = try IntegrityScratch()
        try scratch.record()
        let (inner, moved) = (scratch.path + "/profiles/inner", scratch.path + "/moved")
        #expect(rename(inner, moved) == 0)
        #expect(symlink(moved, inner) == 0)
        let message = try #require(try await scratch.check())
        #expect(message.contains("\(inner)/user"))
    }

    @Test func aDirectoryInPlaceOfAFileIsADifference() async throws {
        let scratch = try IntegrityScratch()
        try scratch.record()
        #expect(unlink(scratch.path + "/bin/aico") == 0)
        #expect(mkdir(scratch.path + "/bin/aico", 0o755) == 0)
        let message = try #require(try await scratch.check())
        #expect(message.contains("\(scratch.path)/bin/aico changed"))
        #expect(message.contains("of another kind of file"))
    }

    @Test func whatIsIgnoredIsNotLookedAt() async throws {
        let scratch = try IntegrityScratch()
        try scratch.record()
        try scratch.write("keys/master", "changed")
        try scratch.write("profiles/inner/new", "new")
        try scratch.write("profiles/innermost", "new")
        let message = try await scratch.check(
            ignore: [scratch.path + "/keys/master", scratch.path + "/profiles/inner"])
        // Not ignored: its name only begins like an ignored one's.
        #expect(message == "1 difference: \(scratch.path)/profiles/innermost is new")
    }

    @Test func ofManyDifferencesFiveAreInTheErrorAndAllInTheLog() async throws {
        let scratch = try IntegrityScratch()
        try scratch.record()
        for index in 0..<7 { try scratch.write("profiles/new\(index)", "new") }
        let recorder = TaskRecorder()
        let message = try #require(try await scratch.check(recorder: recorder))
        #expect(message.hasPrefix("7 differences: "))
        #expect(message.hasSuffix("new4 is new; and 2 more"))
        #expect(recorder.lines.count == 7)
    }

    @Test func cancellationEndsIt() async throws {
        let scratch = try IntegrityScratch()
        try scratch.record()
        let recorder = TaskRecorder()
        recorder.cancel()
        await #expect(throws: TaskCancelled.self) {
            try await recorder.run(IntegrityCheck.self, config: scratch.config())
        }
    }
}
