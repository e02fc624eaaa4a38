// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc
import Testing

/// The files that the programs are.
@Suite(.enabled(if: Built.canStart, Built.reason))
struct ProgramFileTests {
    /// What an installation takes; ICU's data for locales alone would be 34 MB more.
    private static let mostBytes = 60_000_000

    @Test(.enabled(if: !Built.isGuest, "the guest's overlay gives each name a number of its own"))
    func programsWithoutRootAreOneFile() throws {
        let bin = try #require(Built.directory)
        func file(_ name: String) -> ino_t? {
            var status = stat()
            return stat("\(bin)/\(name)", &status) == 0 ? status.st_ino : nil
        }
        let one = try #require(file("aico-multicall"))
        let names =
            ["aico-scheduler", "aico-profilec"]
            + ["maintenance", "security", "agency", "user"].map { "aico-worker-\($0)" }
        for name in names { #expect(file(name) == one, "\(name)") }
        #expect(file("aico-supervisor") != one, "root's has what root needs alone")
    }

    @Test(.enabled(if: access("/usr/bin/strip", X_OK) == 0, "needs strip"))
    func installedTheyTakeLessThanSixtyMegabytes() throws {
        let bin = try #require(Built.directory)
        var bytes = 0
        for name in ["aico", "aico-supervisor", "aico-multicall"] {
            var template = Array("/tmp/aico-stripped-XXXXXX".utf8CString)
            let descriptor = mkstemp(&template)
            try #require(descriptor >= 0)
            close(descriptor)
            let stripped = String(decoding: template.dropLast().map(UInt8.init), as: UTF8.self)
            defer { unlink(stripped) }
            let strip = try HostProcess(["/usr/bin/strip", "-o", stripped, "\(bin)/\(name)"])
            try #require(strip.waitForEnd(within: Built.patience(seconds: 60)) == 0)
            var status = stat()
            try #require(stat(stripped, &status) == 0)
            bytes += Int(status.st_size)
        }
        #expect(bytes < Self.mostBytes, "\(bytes) bytes")
        #expect(bytes > Self.mostBytes / 4, "\(bytes) bytes: these are the programs")
    }

    @Test func anotherNameIsRefusedWithTheNamesThatThereAre() throws {
        let bin = try #require(Built.directory)
        let program = try HostProcess(["\(bin)/aico-multicall"])
        let said = program.remainingOutput(within: Built.patience(seconds: 10))
        #expect(program.waitForEnd(within: Built.patience(seconds: 10)) == 64 << 8)
        #expect(
            said.contains("'aico-multicall' is none of its programs: aico-scheduler"), "\(said)")
    }
}
