// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc
import SystemPackage
import Testing

@testable import LinuxSystem

/// Directories on the real kernel, and where a call of it fails.
struct DirectoryTests {
    @Test func replacesAFileWholeWithItsMode() throws {
        try withTemporaryDirectory { path in
            let directory = try Directory(path)
            try directory.replace("file", with: Array("one".utf8), mode: 0o640)
            try directory.replace("file", with: Array("two".utf8), mode: 0o440)
            #expect(try directory.file("file").bytes(limit: 10) == Array("two".utf8))
            #expect(try directory.status(of: "file")?.mode == 0o440)
            #expect(try directory.names(limit: 9).names == ["file"])
        }
    }

    @Test(arguments: [
        SystemCall.open, .fchmod, .write, .fsync, .rename,
    ])
    func aReplacementThatFailsLeavesTheOldFile(call: SystemCall) throws {
        try withTemporaryDirectory { path in
            let directory = try Directory(path)
            try directory.replace("file", with: Array("old".utf8), mode: 0o600)
            let run = ForcedErrno.run([call: [.noSpace]]) {
                #expect(throws: SystemError.self) {
                    try directory.replace("file", with: Array("new".utf8), mode: 0o600)
                }
            }
            #expect(run.isUsedUp)
            #expect(try directory.file("file").bytes(limit: 10) == Array("old".utf8))
            #expect(try directory.names(limit: 9).names == ["file"])
        }
    }

    @Test(arguments: [Directory.Walk.kernel, .parts])
    func noLinkIsFollowedAnywhere(walk: Directory.Walk) throws {
        try withTemporaryDirectory { path in
            let root = try Directory(path)
            try root.make("a", mode: 0o700)
            try root.directory("a").make("b", mode: 0o700)
            try root.directory("a/b", by: walk).replace("f", with: [1], mode: 0o600)
            #expect(symlink("a", path + "/way") == 0)
            #expect(symlink("f", path + "/a/b/last") == 0)
            // The control: the kernel follows both.
            #expect(access(path + "/way/b/last", R_OK) == 0)
            #expect(try root.file("a/b/f", by: walk).bytes(limit: 1) == [1])
            for wrong in ["way/b/f", "a/b/last", "a/../a/b/f", "/a", "a//b", "."] {
                #expect(throws: SystemError.self, "\(wrong)") {
                    _ = try root.file(wrong, by: walk).status
                }
            }
        }
    }

    @Test func aPipeInAFilesPlaceIsRefusedAtOnce() throws {
        try withTemporaryDirectory { path in
            #expect(mkfifo(path + "/pipe", 0o600) == 0)
            let error = #expect(throws: SystemError.self) {
                _ = try Directory(path).file("pipe").status
            }
            #expect(error?.description == "cannot use \"\(path)/pipe\": it is no regular file")
        }
    }

    @Test func namesBeyondTheLimitAreTold() throws {
        try withTemporaryDirectory { path in
            let directory = try Directory(path)
            for name in ["c", "a", "b"] { try directory.make(name, mode: 0o700) }
            #expect(try directory.names(limit: 3).names == ["a", "b", "c"])
            let (names, isAll) = try directory.names(limit: 2)
            #expect(names.count == 2)
            #expect(!isAll)
            let (entries, _) = try directory.entries(limit: 3)
            #expect(entries.allSatisfy { $0.kind == .directory })
        }
    }

    @Test func aDirectoryThatCannotBeReadToItsEndIsNoShorterOne() throws {
        try withTemporaryDirectory { path in
            let directory = try Directory(path)
            try directory.make("a", mode: 0o700)
            let run = ForcedErrno.run([.getdents: [nil, .ioError]]) {
                let error = #expect(throws: SystemError.self) {
                    try directory.names(limit: 9)
                }
                #expect(error?.errno == .ioError)
            }
            #expect(run.isUsedUp)
        }
    }

    @Test func whatIsThereAndWhatIsNotAreTold() throws {
        try withTemporaryDirectory { path in
            let directory = try Directory(path)
            #expect(try directory.make("a", mode: 0o700))
            #expect(try !directory.make("a", mode: 0o700))
            #expect(try directory.status(of: "b") == nil)
            #expect(try !directory.remove("b"))
            #expect(try directory.remove("a", isDirectory: true))
            #expect(throws: SystemError("open", "\(path)/a", .noSuchFileOrDirectory)) {
                _ = try directory.directory("a").path
            }
        }
    }

    @Test func trustIsForOwnersThatNobodyElseCanWriteBeside() throws {
        try withTemporaryDirectory { path in
            let directory = try Directory(path)
            try directory.checkTrusted(owners: [getuid()])
            #expect(throws: SystemError.self) { try directory.checkTrusted(owners: [77]) }
            try directory.descriptor.changeMode(0o770)
            #expect(throws: SystemError.self) { try directory.checkTrusted(owners: [getuid()]) }
            try directory.checkTrusted(owners: [getuid()], mayGroupWrite: true)
            try directory.descriptor.changeMode(0o777)
            #expect(throws: SystemError.self) {
                try directory.checkTrusted(owners: [getuid()], mayGroupWrite: true)
            }
        }
    }

    @Test func aFileThatIsLongerThanItsLimitIsRefused() throws {
        try withTemporaryDirectory { path in
            let directory = try Directory(path)
            try directory.replace("file", with: [1, 2, 3], mode: 0o600)
            #expect(throws: SystemError.self) { try directory.file("file").bytes(limit: 2) }
            let file = try directory.file("file")
            #expect(try file.bytes(at: 1, count: 9) == [2, 3])
            let run = ForcedErrno.run([.pread: [.interrupted, .ioError]]) {
                let error = #expect(throws: SystemError.self) {
                    try file.bytes(at: 0, count: 3)
                }
                #expect(error?.errno == .ioError)
            }
            #expect(run.isUsedUp)
        }
    }
}
