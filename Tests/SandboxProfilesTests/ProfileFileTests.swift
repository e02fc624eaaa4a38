// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Glibc
import StrictYAML
import Testing

@testable import SandboxProfiles

/// Which files are read at all: nobody but root may change what root enforces.
@Suite struct ProfileFileTests {
    private static let include = "include:\n  - include/a.yaml\n"

    private func fixture() throws -> ProfileFixture {
        try ProfileFixture([
            "user.yaml": ProfileFixture.base + Self.include, "include/a.yaml": "readable: [/usr]\n",
        ])
    }

    @Test(arguments: [0o664, 0o646, 0o666]) func aFileThatOthersMayWriteIsRefused(
        mode: Int
    ) throws {
        let fixture = try fixture()
        #expect(fixture.refusal(.user) == nil)
        try fixture.setMode("user.yaml", mode)
        #expect(
            fixture.refusal(.user)
                == "user.yaml: may be written by group or others "
                + "(mode 0\(String(mode, radix: 8))); chmod go-w it")
        try fixture.setMode("user.yaml", 0o644)
        try fixture.setMode("include/a.yaml", mode)
        #expect(
            fixture.refusal(.user)?.hasPrefix(
                "user.yaml:8: include 'include/a.yaml' refused: may be written by ") == true)
    }

    @Test(arguments: ["", "include"]) func aDirectoryThatOthersMayWriteIsRefused(
        name: String
    ) throws {
        let fixture = try fixture()
        try fixture.setMode(name, 0o775)
        #expect(fixture.refusal(.user)?.contains("may be written by group or others") == true)
    }

    @Test(arguments: ["user.yaml", "include/a.yaml", "include"]) func aLinkIsRefused(
        name: String
    ) throws {
        let fixture = try fixture()
        let place = "\(fixture.path)/\(name)"
        let moved = "\(fixture.path)/moved"
        try #require(rename(place, moved) == 0 && symlink(moved, place) == 0)
        #expect(fixture.refusal(.user)?.hasSuffix("is a symbolic link") == true)
    }

    @Test(.enabled(if: geteuid() == 0, "needs root"))
    func aFileOfAClassIsRefused() throws {
        let fixture = try fixture()
        // Class agency: no class may decide over another one either.
        try #require(chown("\(fixture.path)/user.yaml", 61003, 0) == 0)
        #expect(
            fixture.refusal(.user) == "user.yaml: belongs to uid 61003, which is a class's")
    }

    @Test func aPipeIsRefusedWithoutWaiting() throws {
        let fixture = try fixture()
        let place = "\(fixture.path)/include/a.yaml"
        try #require(unlink(place) == 0 && mkfifo(place, 0o644) == 0)
        #expect(
            fixture.refusal(.user)
                == "user.yaml:8: include 'include/a.yaml' refused: is not a regular file")
    }

    @Test func aLargeFileIsRefusedUnread() throws {
        let filler = String(repeating: "# filler\n", count: 8000)
        let fixture = try ProfileFixture(["user.yaml": ProfileFixture.base + filler])
        #expect(fixture.refusal(.user) == "user.yaml: larger than the limit of 65536 bytes")
    }

    @Test func aMissingProfileAndDirectoryAreNamed() throws {
        let fixture = try fixture()
        #expect(
            fixture.refusal(.agency) == "agency.yaml: cannot open: No such file or directory")
        let error = #expect(throws: ProfileError.self) {
            try ProfileCompiler.read(class: .user, profilesDirectory: "/nowhere/at/all")
        }
        #expect(
            error?.description
                == "/nowhere/at/all: cannot open directory: No such file or directory")
    }
}
