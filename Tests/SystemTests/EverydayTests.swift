// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc
import Testing

/// The cases of `make everyday`, but for the executables of the host.
@Suite(.serialized, .enabled(if: Built.canStart && !Built.isGuest, Built.reason))
struct EverydayTests {
    /// What people run every day is the same inside and outside, but for what is expected.
    @Test func nothingElseDiffers() throws {
        let built = try #require(Built.directory)
        let process = try HostProcess(
            ["\(projectDirectory)/scripts/everyday", built, "--short"],
            environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"])
        let said = process.remainingOutput(within: Built.patience(seconds: 300))
        #expect(process.waitForEnd(within: Built.patience(seconds: 10)) == 0, "\(said)")
    }

    /// A comparison that finds nothing anywhere would find nothing here.
    @Test func aDifferenceIsFoundAndFails() throws {
        let built = try #require(Built.directory)
        let copy = try temporaryDirectory("everyday")
        defer { removeTree(copy) }
        try writeFile(
            """
            same.echo: echo same
            other.kernel: python3 -c 'import os; os.memfd_create("a")' 2>/dev/null; echo $?
            other.ended: unshare -r true; echo on
            same.after: echo same

            """, to: "\(copy)/cases")
        try writeFile("other.kernel | meant\n", to: "\(copy)/expected")
        let process = try HostProcess(
            ["\(projectDirectory)/scripts/everyday", built, "--short"],
            environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "AICO_EVERYDAY=\(copy)"])
        let said = process.remainingOutput(within: Built.patience(seconds: 120))
        #expect(process.waitForEnd(within: Built.patience(seconds: 10)) == 1 << 8, "\(said)")
        #expect(said.contains("other.ended\n"), "\(said)")
        #expect(said.contains("denied system call unshare("), "\(said)")
        #expect(said.contains("everyday: 1 of 4 differ"), "\(said)")
    }
}
