// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc
import SystemPackage
import Testing

@testable import LinuxSystem

/// Names in a directory: second ones, other ones, those of others.
struct DirectoryNameTests {
    @Test func aSecondNameReplacesNothing() throws {
        try withTemporaryDirectory { path in
            let directory = try Directory(path)
            try directory.replace("one", with: [1], mode: 0o600)
            #expect(try directory.link("one", as: "two"))
            #expect(try directory.status(of: "two")?.inode == directory.status(of: "one")?.inode)
            try directory.replace("three", with: [3], mode: 0o600)
            #expect(try !directory.link("one", as: "three"))
            #expect(try directory.file("three").bytes(limit: 1) == [3])
            let run = ForcedErrno.run([.link: [.interrupted, .noSpace]]) {
                let error = #expect(throws: SystemError.self) {
                    try directory.link("one", as: "four")
                }
                #expect(
                    error?.description == "cannot link \"\(path)/four\": No space left on device")
            }
            #expect(run.isUsedUp)
            #expect(throws: SystemError.self) { try directory.link("one", as: "../four") }
        }
    }

    @Test func anotherNameTakesTheOldOnesPlace() throws {
        try withTemporaryDirectory { path in
            let directory = try Directory(path)
            try directory.replace("one", with: [1], mode: 0o600)
            try directory.replace("two", with: [2], mode: 0o600)
            try directory.rename("one", to: "two")
            #expect(try directory.names(limit: 9).names == ["two"])
            #expect(try directory.file("two").bytes(limit: 1) == [1])
            #expect(throws: SystemError.self) { try directory.rename("one", to: "three") }
        }
    }

    /// 0xFF is in no UTF-8.
    @Test func whatIsNamedByNoTextIsReachedByItsEntry() throws {
        try withTemporaryDirectory { path in
            let directory = try Directory(path)
            #expect(mkdirat(directory.descriptor.number, [0x61, -1, 0], 0o700) == 0)
            let entry = try #require(directory.entries(limit: 9).entries.first)
            #expect(entry.name == nil && entry.shown == "a\u{FFFD}")
            let untold = Directory.Entry(bytes: entry.bytes, kind: nil)
            #expect(try directory.kind(of: untold) == .directory)
            let opened = try directory.open(entry, flags: Directory.readingFlags)
            #expect(try opened.status().kind == .directory)
            #expect(try directory.remove(entry, isDirectory: true))
            #expect(try !directory.remove(entry, isDirectory: true))
            #expect(try directory.kind(of: untold) == nil)
            let error = #expect(throws: SystemError.self) {
                _ = try directory.open(entry, flags: Directory.readingFlags)
            }
            #expect(
                error?.description
                    == "cannot open \"\(path)/a\u{FFFD}\": No such file or directory")
        }
    }

    @Test(.enabled(if: geteuid() == 0, "needs root"))
    func ownersAreChangedByNameAndOfALinkItself() throws {
        try withTemporaryDirectory { path in
            let directory = try Directory(path)
            try directory.replace("file", with: [], mode: 0o600)
            #expect(symlink("file", path + "/link") == 0)
            #expect(try directory.changeOwner(of: "link", user: 61990, group: 61991))
            #expect(try directory.status(of: "link")?.user == 61990)
            #expect(try directory.status(of: "file")?.user == geteuid())
            #expect(try !directory.changeOwner(of: "none", user: 61990, group: 61990))
        }
    }

    @Test func theDirectoryAboveIsOpened() throws {
        try withTemporaryDirectory { path in
            let directory = try Directory(path)
            try directory.make("below", mode: 0o700)
            let above = try directory.directory("below").parent()
            #expect(try above.status().inode == directory.status().inode)
        }
    }

    @Test func aLinkIsFollowedWhereThatIsSaid() throws {
        try withTemporaryDirectory { path in
            let directory = try Directory(path)
            try directory.replace("file", with: [7, 8], mode: 0o600)
            #expect(symlink("file", path + "/link") == 0)
            let error = #expect(throws: SystemError.self) {
                _ = try File(reading: path + "/link").status
            }
            #expect(error?.isLink == true)
            let file = try File(reading: path + "/link", followingLink: true)
            #expect(try file.bytes(limit: 2) == [7, 8])
            #expect(try FileStatus(of: path + "/link").kind == .link)
            #expect(try FileStatus(following: path + "/link").kind == .regular)
            #expect(File.beginning(of: path + "/file", bytes: 1) == "\u{7}")
            #expect(File.beginning(of: path + "/none", bytes: 1) == nil)
        }
    }
}
