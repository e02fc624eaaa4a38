// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc
import LinuxSandbox
import Testing

@testable import SandboxProfiles

/// What the filter of root's keepers of grants decides.
@Suite struct KeeperFilterTests {
    @Test func whatIsNotListedIsRefused() throws {
        let bench = try FilterBench.keeper()
        let allowed = Set(KeeperFilter.allowed.flatMap(\.calls))
        for (number, name) in bench.table.names {
            let verdict = try bench.verdict(number: UInt32(number), [3, 0x0002_0000, 1, 0, 0, 0])
            #expect(verdict == (allowed.contains(name) ? .allow : .errno(EPERM)), "\(name)")
        }
        #expect(try bench.verdict(number: UInt32(bench.table.newest) + 1) == .errno(ENOSYS))
    }

    @Test func namespacesOfMountsAloneAreEntered() throws {
        let bench = try FilterBench.keeper()
        for bit in [7, 17, 25, 26, 27, 28, 29, 30] {
            let verdict: Verdict = bit == 17 ? .allow : .errno(EPERM)
            #expect(try bench.verdict("setns", 3, 1 << UInt64(bit)) == verdict, "\(bit)")
        }
        // Any kind that the descriptor is of.
        #expect(try bench.verdict("setns", 3, 0) == .errno(EPERM))
    }

    @Test func noMemoryBecomesCodeAndNoFileLendsItsOwner() throws {
        let bench = try FilterBench.keeper()
        for name in ["mmap", "mprotect"] {
            for protection: UInt64 in 0...7 {
                let verdict: Verdict = protection & 4 == 0 ? .allow : .errno(EPERM)
                #expect(try bench.verdict(name, 0, 4096, protection) == verdict, "\(protection)")
            }
        }
        #expect(try bench.verdict("fchmod", 3, 0o750) == .allow)
        #expect(try bench.verdict("fchmod", 3, 0o4750) == .errno(EPERM))
        #expect(try bench.verdict("fchmod", 3, 0o2750) == .errno(EPERM))
    }

    @Test func otherTablesAreKilled() throws {
        let bench = try FilterBench.keeper()
        let read = try bench.number("read")
        #expect(try bench.verdict(number: read, architecture: SeccompCall.i386) == .kill)
        #expect(try bench.verdict(number: read | 0x4000_0000) == .kill)
    }
}
