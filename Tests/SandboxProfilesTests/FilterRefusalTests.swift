// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Glibc
import LinuxSandbox
import Testing

@testable import SandboxProfiles

/// Arguments with which a call is refused although its name is allowed.
@Suite struct FilterRefusalTests {
    /// One call as class user makes it.
    struct Case: Sendable, CustomTestStringConvertible {
        var call: String
        var arguments: [UInt64]
        var verdict: Verdict

        var testDescription: String { "\(call) \(arguments): \(verdict)" }

        init(_ call: String, _ arguments: [UInt64], _ verdict: Verdict) {
            self.call = call
            self.arguments = arguments
            self.verdict = verdict
        }
    }

    /// Where each call has its mode, and which of S_ISUID and S_ISGID it may not have; the mode of
    /// openat2 is out of reach: it is not there.
    static let modes: [(call: String, argument: Int, refused: UInt64)] = [
        ("chmod", 1, 0o4000), ("fchmod", 1, 0o4000), ("fchmodat", 2, 0o4000),
        ("creat", 1, 0o6000), ("mkdir", 1, 0), ("mkdirat", 2, 0), ("mknod", 1, 0o6000),
        ("mknodat", 2, 0o6000),
    ]

    static let specialModes = modes.flatMap { call, argument, refused in
        [0o4755, 0o2755, 0o6000, 0o1777, 0o777, 0].map { (mode: UInt64) in
            var arguments = [UInt64](repeating: 0, count: argument)
            arguments.append(mode)
            return Case(call, arguments, mode & refused == 0 ? .allow : .errno(EPERM))
        }
    }

    /// S_IFREG, S_IFIFO and S_IFSOCK are made by whoever may write; S_IFCHR and S_IFBLK by nobody.
    static let nodes = [
        Case("mknod", [0, 0o100644], .allow), Case("mknod", [0, 0o010644], .allow),
        Case("mknodat", [0, 0, 0o010600], .allow), Case("mknodat", [0, 0, 0o140600], .allow),
        Case("mknod", [0, 0o020666], .errno(EPERM)), Case("mknod", [0, 0o060666], .errno(EPERM)),
        Case("mknodat", [0, 0, 0o020666], .errno(EPERM)),
        Case("mknodat", [0, 0, 0o060666], .errno(EPERM)),
    ]

    /// O_CREAT is 0o100, O_TMPFILE 0o20200000, O_RDWR 2; without a file to make the mode is noise.
    static let opening = [
        Case("open", [0, 0, 0o4755], .allow),
        Case("open", [0, 0o102, 0o644], .allow),
        Case("open", [0, 0o102, 0o4755], .errno(EPERM)),
        Case("open", [0, 0o2020_0002, 0o2755], .errno(EPERM)),
        Case("openat", [0, 0, 0, 0o7777], .allow),
        Case("openat", [0, 0, 0o100, 0o755], .allow),
        Case("openat", [0, 0, 0o100, 0o2755], .errno(EPERM)),
        Case("openat", [0, 0, 0o2020_0002, 0o4755], .errno(EPERM)),
        // O_DIRECTORY alone is a part of O_TMPFILE.
        Case("openat", [0, 0, 0o20_0000, 0o4755], .allow),
        Case("openat2", [0, 0, 0, 24], .errno(ENOSYS)),
    ]

    /// PROT_READ 1, PROT_WRITE 2, PROT_EXEC 4; MAP_SHARED 1, MAP_PRIVATE 2, MAP_ANONYMOUS 0x20.
    static let mappings = [
        Case("mmap", [0, 4096, 5, 0x02], .allow),
        Case("mmap", [0, 4096, 5, 0x01], .notify),
        Case("mmap", [0, 4096, 4, 0x22], .notify),
        Case("mmap", [0, 4096, 4, 0x21], .notify),
        Case("mmap", [0, 4096, 3, 0x21], .allow),
        Case("mmap", [0, 4096, 0, 0x22], .allow),
    ]

    /// RLIMIT_CORE is 4. A new limit may lie above 4 GiB with a low half of 0.
    static let cores = [
        Case("setrlimit", [4, 0x1000], .errno(0)),
        Case("setrlimit", [7, 0x1000], .allow),
        Case("prlimit64", [0, 4, 0, 0x1000], .allow),
        Case("prlimit64", [0, 4, 0x1000, 0], .errno(0)),
        Case("prlimit64", [0, 4, 0x7FFF_0000_0000, 0], .errno(0)),
        Case("prlimit64", [0, 4, 0x1000, 0x1000], .errno(EPERM)),
        Case("prlimit64", [0, 4, 0x7FFF_0000_0000, 0x7FFF_0000_0000], .errno(EPERM)),
        Case("prlimit64", [0, 7, 0x1000, 0], .allow),
        Case("prlimit64", [9, 4, 0, 0], .allow),
        Case("prlimit64", [9, 4, 0x1000, 0], .errno(0)),
    ]

    @Test(arguments: specialModes + nodes + opening + mappings + cores)
    func isAnswered(call: Case) throws {
        let bench = try FilterBench(tasksOf: .user)
        #expect(try bench.verdict(number: bench.number(call.call), call.arguments) == call.verdict)
    }

    @Test(arguments: specialModes + nodes + opening.dropLast()) func aHighHalfOfGarbageHidesNothing(
        call: Case
    ) throws {
        let bench = try FilterBench(tasksOf: .user)
        let arguments = call.arguments.map(\.withHighGarbage)
        #expect(try bench.verdict(number: bench.number(call.call), arguments) == call.verdict)
    }

    /// A refusal must not open what a profile denies.
    @Test func aCallThatIsNotAllowedStaysSo() throws {
        let bench = try FilterBench(tasksOf: .security)
        for name in ["chmod", "fchmod", "mkdir", "creat"] {
            #expect(try bench.verdict(name, 0, 0) == .errno(EPERM), "\(name)")
        }
        let fixture = try ProfileFixture(["user.yaml": ProfileFixture.base])
        let program = try fixture.compile(.user).taskFilter
        for mode in Self.modes {
            let call = SeccompCall(number: try bench.number(mode.call), arguments: [0, 0, 0])
            let verdict = try Verdict(BPFMachine.run(program, on: call))
            #expect(verdict == .errno(ENOSYS), "\(mode.call)")
        }
    }

    /// Calls that change ids, with the number of those: the class's own and -1 are no change.
    @Test(arguments: TaskClass.allCases) func ownIdsAreGrantedAndOthersRefused(
        taskClass: TaskClass
    ) throws {
        let identity = try #require(Shipped.identities[taskClass])
        let bench = try FilterBench(tasksOf: taskClass)
        for call in ArgumentRefusal.identityCalls {
            let own = UInt64(call.ofGroup ? identity.groupID : identity.userID)
            let number = try bench.number(call.syscall)
            let count = Int(call.count)
            for kept in [own, 0xFFFF_FFFF, own.withHighGarbage, .max] {
                let arguments = [UInt64](repeating: kept, count: count)
                #expect(try bench.verdict(number: number, arguments) == .allow, "\(call) \(kept)")
                for place in 0..<count {
                    for other in [0, own + 1, own ^ 0x1_0000, UInt64(0).withHighGarbage] {
                        var changed = arguments
                        changed[place] = other
                        #expect(
                            try bench.verdict(number: number, changed) == .errno(EPERM),
                            "\(call) \(changed)")
                    }
                }
            }
        }
        // The ids of the other kind are others.
        #expect(
            try bench.verdict("setuid", UInt64(identity.groupID)) == .errno(EPERM))
    }

    @Test func sharedExecutableMemoryComesWithTheGrantOnly() throws {
        let number = try FilterBench(tasksOf: .user).number("mmap")
        let call = SeccompCall(number: number, arguments: [0, 4096, 7, 0x21])
        for (line, verdict) in [("true", Verdict.allow), ("false", .notify)] {
            let fixture = try ProfileFixture([
                "user.yaml": ProfileFixture.base + "writable_executable_memory: \(line)\n"
            ])
            let program = try fixture.compile(.user).taskFilter
            #expect(try Verdict(BPFMachine.run(program, on: call)) == verdict, "\(line)")
        }
    }
}
