// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Glibc
import LinuxSandbox
import Testing

@testable import SandboxProfiles

/// Calls that are decided by an argument; only its low 32 bits may count.
@Suite struct FilterArgumentTests {
    /// One call with its arguments and what every class, or class user alone, answers.
    struct Case: Sendable, CustomTestStringConvertible {
        var call: String
        var arguments: [UInt64]
        var user: Verdict
        var others: Verdict
        /// Which argument decides: it is tried with a high half of garbage too.
        var deciding: Int

        var testDescription: String { "\(call) \(arguments)" }

        init(
            _ call: String, _ arguments: [UInt64], at deciding: Int, _ user: Verdict,
            others: Verdict? = nil
        ) {
            self.call = call
            self.arguments = arguments
            self.deciding = deciding
            self.user = user
            self.others = others ?? user
        }
    }

    /// pthread_create of glibc; fork of glibc, posix_spawn of glibc.
    static let threadFlags: UInt64 = 0x003D_0F00
    static let forkFlags: UInt64 = 0x0120_0011
    static let spawnFlags: UInt64 = 0x0000_4111

    /// CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET; PTRACE, UNTRACED.
    static let neverFlags: [UInt64] = [
        0x0002_0000, 0x0200_0000, 0x0400_0000, 0x0800_0000, 0x1000_0000, 0x2000_0000,
        0x4000_0000, 0x0000_2000, 0x0080_0000,
    ]

    static let clones =
        [
            Case("clone", [threadFlags], at: 0, .allow),
            Case("clone", [forkFlags], at: 0, .allow, others: .notify),
            Case("clone", [spawnFlags], at: 0, .allow, others: .notify),
        ]
        + neverFlags.flatMap { flag in
            [threadFlags, forkFlags, 0].map { Case("clone", [$0 | flag], at: 0, .notify) }
        }

    static let requests = [
        Case("ioctl", [0, 0x5401], at: 1, .allow),  // TCGETS
        Case("ioctl", [0, 0x541B], at: 1, .allow),  // FIONREAD
        Case("ioctl", [0, 0x5412], at: 1, .notify),  // TIOCSTI
        Case("ioctl", [0, 0x541C], at: 1, .notify),  // TIOCLINUX
        Case("ioctl", [0, 0x540E], at: 1, .notify),  // TIOCSCTTY
        Case("ioctl", [0, 0x5423], at: 1, .notify),  // TIOCSETD
        Case("ioctl", [0, 0x4004_9409], at: 1, .allow, others: .errno(ENOTTY)),  // FICLONE
        Case("ioctl", [0, 0x5402], at: 1, .allow, others: .errno(ENOTTY)),  // TCSETS
        Case("ioctl", [0, 0x8936], at: 1, .errno(ENOTTY)),  // SIOCSIFADDR
        Case("ioctl", [0, 0], at: 1, .errno(ENOTTY)),
        Case("fcntl", [0, 2], at: 1, .allow),  // F_SETFD
        Case("fcntl", [0, 1030], at: 1, .allow),  // F_DUPFD_CLOEXEC
        Case("fcntl", [0, 8], at: 1, .errno(EINVAL)),  // F_SETOWN
        Case("fcntl", [0, 10], at: 1, .errno(EINVAL)),  // F_SETSIG
        Case("fcntl", [0, 1026], at: 1, .errno(EINVAL)),  // F_NOTIFY
        Case("prctl", [15], at: 0, .allow),  // PR_SET_NAME
        Case("prctl", [36], at: 0, .allow, others: .errno(EPERM)),  // PR_SET_CHILD_SUBREAPER
        Case("prctl", [4], at: 0, .allow, others: .errno(EPERM)),  // PR_SET_DUMPABLE
        Case("prctl", [22], at: 0, .errno(EPERM)),  // PR_SET_SECCOMP
        Case("prctl", [28], at: 0, .errno(EPERM)),  // PR_SET_SECUREBITS
        Case("prctl", [35], at: 0, .errno(EPERM)),  // PR_SET_MM
        Case("prctl", [47], at: 0, .errno(EPERM)),  // PR_CAP_AMBIENT
        Case("prctl", [0x5961_6D61], at: 0, .errno(EPERM)),  // PR_SET_PTRACER
    ]

    static let sockets = [
        Case("socketpair", [1, 1], at: 1, .allow),  // AF_UNIX, SOCK_STREAM
        Case("socketpair", [1, 0x80801], at: 1, .allow),  // with CLOEXEC and NONBLOCK
        Case("socketpair", [1, 5], at: 1, .allow),  // SOCK_SEQPACKET
        Case("socketpair", [1, 3], at: 1, .errno(EPROTONOSUPPORT)),  // SOCK_RAW
        Case("socket", [2, 1], at: 0, .errno(EAFNOSUPPORT)),  // AF_INET
        Case("socket", [10, 1], at: 0, .errno(EAFNOSUPPORT)),  // AF_INET6
        Case("socket", [16, 3], at: 0, .errno(EAFNOSUPPORT)),  // AF_NETLINK
        Case("socket", [17, 3], at: 0, .errno(EAFNOSUPPORT)),  // AF_PACKET
        Case("socket", [40, 1], at: 0, .errno(EAFNOSUPPORT)),  // AF_VSOCK
    ]

    static let memory = [
        Case("mmap", [0, 0, 1], at: 2, .allow),  // PROT_READ
        Case("mmap", [0, 0, 3], at: 2, .allow),  // PROT_READ | PROT_WRITE
        Case("mmap", [0, 0, 5], at: 2, .allow),  // PROT_READ | PROT_EXEC: the loader
        Case("mmap", [0, 0, 6], at: 2, .notify),  // PROT_WRITE | PROT_EXEC
        Case("mmap", [0, 0, 7], at: 2, .notify),
        Case("mprotect", [0, 0, 1], at: 2, .allow),
        Case("mprotect", [0, 0, 3], at: 2, .allow),
        Case("mprotect", [0, 0, 4], at: 2, .notify),
        Case("mprotect", [0, 0, 5], at: 2, .notify),
        Case("pkey_mprotect", [0, 0, 5], at: 2, .notify),
    ]

    static let single = [
        Case("prlimit64", [0, 7], at: 0, .allow),
        Case("prlimit64", [1, 7], at: 0, .allow, others: .errno(EPERM)),
        Case("personality", [0], at: 0, .allow),
        Case("personality", [0xFFFF_FFFF], at: 0, .allow),
        Case("personality", [0x0040_0000], at: 0, .errno(EPERM)),  // READ_IMPLIES_EXEC
        Case("arch_prctl", [0x1002], at: 0, .allow),  // ARCH_SET_FS
        Case("arch_prctl", [0x1001], at: 0, .errno(EINVAL)),  // ARCH_SET_GS
    ]

    @Test(arguments: clones + requests + sockets + memory + single)
    func theLowHalfDecides(call: Case) throws {
        for taskClass in TaskClass.allCases {
            let bench = try FilterBench(tasksOf: taskClass)
            let expected = taskClass == .user ? call.user : call.others
            let number = try bench.number(call.call)
            var arguments = call.arguments
            #expect(try bench.verdict(number: number, arguments) == expected, "\(taskClass)")
            arguments[call.deciding] = arguments[call.deciding].withHighGarbage
            let dodged = try bench.verdict(number: number, arguments)
            #expect(dodged == expected, "\(taskClass), with a high half of garbage")
        }
    }

    @Test func unixSocketsAreForMaintenanceAndUserOnly() throws {
        for taskClass in TaskClass.allCases {
            let bench = try FilterBench(tasksOf: taskClass)
            let isGranted = taskClass == .maintenance || taskClass == .user
            #expect(
                try bench.verdict("socket", 1, 1)
                    == (isGranted ? .allow : .errno(EAFNOSUPPORT)), "\(taskClass)")
            // A pair of datagram sockets could send to any other socket of the class root.
            #expect(
                try bench.verdict("socketpair", 1, 2)
                    == (isGranted ? .allow : .errno(EPROTONOSUPPORT)), "\(taskClass)")
        }
    }

    /// Abstract sockets have no path that could be mounted away: without Landlock's scopes they
    /// would lead from one attempt to another.
    @Test(arguments: [-1, 0, 1, 5]) func withoutScopesClassUserHasPairsOnly(abi: Int) throws {
        let profile = try Shipped.profile(.user)
        let plan = try ProfileCompiler.plan(
            of: profile, paths: Shipped.paths, identities: Shipped.identities, landlockABI: abi)
        let table = SyscallTable.native
        func verdict(_ name: String, _ arguments: [UInt64]) throws -> Verdict {
            guard case .number(let number) = table.lookup(name) else {
                throw BPFFault(reason: "'\(name)' has no number here")
            }
            return try Verdict(
                BPFMachine.run(
                    plan.taskFilter,
                    on: SeccompCall(number: UInt32(number), arguments: arguments)))
        }
        #expect(try verdict("socket", [1, 1]) == .errno(EAFNOSUPPORT))
        #expect(try verdict("socketpair", [1, 2]) == .errno(EPROTONOSUPPORT))
        #expect(try verdict("socketpair", [1, 1]) == .allow)
        for name in ["connect", "bind", "listen", "accept", "accept4"] {
            #expect(try verdict(name, []) == .errno(EPERM), "\(name)")
        }
        #expect(
            ProfileCompiler.notes(of: profile, landlockABI: abi) == [
                "user.yaml: 'sockets' stay refused: abstract ones would be open between attempts, "
                    + "which Landlock closes from Linux 6.12 on (its ABI here is \(max(abi, 0)), "
                    + "6 is needed)"
            ])
        #expect(ProfileCompiler.notes(of: profile, landlockABI: 6).isEmpty)
        // The bus is a path, and what maintenance runs is ours.
        #expect(
            ProfileCompiler.notes(of: try Shipped.profile(.maintenance), landlockABI: abi).isEmpty)
    }

    @Test func aPairOfAnotherFamilyIsReported() throws {
        let bench = try FilterBench(tasksOf: .user)
        #expect(try bench.verdict("socketpair", 2, 1) == .notify)
        #expect(try bench.verdict("socketpair", UInt64(1).withHighGarbage, 1) == .allow)
    }

    @Test func writableExecutableMemoryIsGrantedWhereAProfileSaysSo() throws {
        let number = try FilterBench(tasksOf: .user).number("mprotect")
        let call = SeccompCall(number: number, arguments: [0, 0, 5])
        for (value, verdict) in [("true", Verdict.allow), ("false", .notify)] {
            let fixture = try ProfileFixture([
                "user.yaml": ProfileFixture.base + "writable_executable_memory: \(value)\n"
            ])
            let program = try fixture.compile(.user).taskFilter
            #expect(try Verdict(BPFMachine.run(program, on: call)) == verdict, "\(value)")
        }
    }
}
