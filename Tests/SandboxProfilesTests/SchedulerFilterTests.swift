// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc
import LinuxSandbox
import Testing

@testable import SandboxProfiles

/// What the scheduler's filter decides.
@Suite struct SchedulerFilterTests {
    @Test func eachCallOfTheListIsRefused() throws {
        let bench = try FilterBench.scheduler()
        for name in SchedulerFilter.denied.flatMap(\.calls) {
            guard case .number(let number) = bench.table.lookup(name) else { continue }
            #expect(try bench.verdict(number: UInt32(number)) == .errno(EPERM), "\(name)")
        }
        #expect(try bench.verdict("clone3") == .errno(ENOSYS))
        // The control: what the scheduler does all day.
        for name in ["read", "openat", "mmap", "futex", "epoll_wait", "fsync", "recvmsg"] {
            #expect(try bench.verdict(name) == .allow, "\(name)")
        }
    }

    @Test func threadsAreMadeAndNamespacesAreNot() throws {
        let bench = try FilterBench.scheduler()
        // As pthread_create(3) and fork(3) do.
        for flags in [UInt64(0x003D_0F00), 0x0120_0011, UInt64(17).withHighGarbage] {
            #expect(try bench.verdict("clone", flags) == .allow, "\(flags)")
        }
        // CLONE_NEWTIME, NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET.
        for bit in [7, 17, 25, 26, 27, 28, 29, 30] {
            let namespace = UInt64(1) << UInt64(bit)
            for flags in [namespace, namespace | 17, namespace.withHighGarbage] {
                #expect(try bench.verdict("clone", flags) == .errno(EPERM), "\(bit)")
            }
        }
    }

    @Test func socketsAreOfFourFamilies() throws {
        let bench = try FilterBench.scheduler()
        for family: UInt64 in 0...45 {
            let verdict: Verdict =
                [1, 2, 10, 16].contains(family) ? .allow : .errno(EAFNOSUPPORT)
            #expect(try bench.verdict("socket", family, 1, 0) == verdict, "\(family)")
            #expect(try bench.verdict("socket", family.withHighGarbage, 1, 0) == verdict)
        }
    }

    @Test func otherTablesAreKilledAndNewCallsAreNotThere() throws {
        let bench = try FilterBench.scheduler()
        let read = try bench.number("read")
        #expect(try bench.verdict(number: read, architecture: SeccompCall.i386) == .kill)
        #expect(try bench.verdict(number: read | 0x4000_0000) == .kill)
        #expect(
            try bench.verdict(number: UInt32(bench.table.newest) + 1) == .errno(ENOSYS))
    }
}
