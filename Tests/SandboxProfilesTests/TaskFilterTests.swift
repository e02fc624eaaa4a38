// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Glibc
import LinuxSandbox
import StrictYAML
import Testing

@testable import SandboxProfiles

/// What the compiled filters decide about numbers, names and architectures.
@Suite struct TaskFilterTests {
    let user: FilterBench

    init() throws { user = try FilterBench(tasksOf: .user) }

    /// Every number of the native table against what the profile says of its name.
    @Test(arguments: TaskClass.allCases) func everyKnownCallIsDecidedAsTheProfileSays(
        taskClass: TaskClass
    ) throws {
        let profile = try Shipped.profile(taskClass)
        let bench = try FilterBench(tasksOf: taskClass)
        var counts: [Verdict: Int] = [:]
        for (number, name) in bench.table.names.sorted(by: { $0.key < $1.key }) {
            let verdict = try bench.verdict(number: UInt32(number))
            counts[verdict, default: 0] += 1
            let expected: Verdict
            if TaskFilter.governed[name] != nil {
                // Their arguments decide: see FilterArgumentTests.
                continue
            } else if profile.syscalls.allowed.contains(name) {
                expected = .allow
            } else if profile.syscalls.refused.contains(name) {
                expected = .errno(EPERM)
            } else if profile.syscalls.unavailable.contains(name) {
                expected = .errno(ENOSYS)
            } else {
                expected = EscapeCalls.calls.contains(name) ? .notify : .errno(ENOSYS)
            }
            #expect(verdict == expected, "\(name)")
        }
        #expect(counts[.allow, default: 0] > 100 && counts[.notify, default: 0] > 35)
    }

    @Test(arguments: [
        "ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "mount", "umount2",
        "move_mount", "open_tree", "fsopen", "pivot_root", "chroot", "unshare", "setns", "bpf",
        "perf_event_open", "kexec_load", "init_module", "finit_module", "delete_module", "reboot",
        "keyctl", "add_key", "request_key", "userfaultfd", "open_by_handle_at", "fanotify_init",
        "iopl", "ioperm", "swapon", "settimeofday", "clock_settime", "sethostname", "modify_ldt",
        "personality", "acct", "quotactl", "syslog", "vhangup", "process_madvise", "kcmp",
    ]) func whatWouldLeadOutIsReportedInEveryClass(name: String) throws {
        for taskClass in TaskClass.allCases {
            let bench = try FilterBench(tasksOf: taskClass)
            // ADDR_NO_RANDOMIZE: personality answers it with an errno instead.
            let verdict = try bench.verdict(name, 0x004_0000)
            #expect(verdict == (name == "personality" ? .errno(EPERM) : .notify), "\(taskClass)")
        }
    }

    /// What is new, rare or gone: programs try it and go on without.
    @Test(arguments: [
        "vmsplice", "io_uring_setup", "uselib", "ustat", "sysfs", "memfd_secret", "cachestat",
        "futex_wake", "futex_wait", "map_shadow_stack", "setxattrat", "statmount",
        "lsm_get_self_attr",
    ]) func whatNoProfileKnowsIsNotThere(name: String) throws {
        for taskClass in TaskClass.allCases {
            let bench = try FilterBench(tasksOf: taskClass)
            // One that this libseccomp does not know has a number that is not known either.
            guard case .number(let number) = bench.table.lookup(name) else { continue }
            #expect(try bench.verdict(number: UInt32(number)) == .errno(ENOSYS), "\(taskClass)")
        }
    }

    @Test(arguments: TaskClass.allCases) func unknownNumbersAnswerENOSYS(
        taskClass: TaskClass
    ) throws {
        let bench = try FilterBench(tasksOf: taskClass)
        let newest = UInt32(bench.table.newest)
        let holes = (0...newest).filter { bench.table.names[CInt($0)] == nil }
        #expect(holes.count > 50, "the table has holes to try")
        for number in holes + [newest + 1, newest + 2, 1023, 4096, 0x3FFF_FFFF] {
            #expect(try bench.verdict(number: number) == .errno(ENOSYS), "\(number)")
        }
    }

    #if arch(x86_64)
        @Test(arguments: TaskClass.allCases) func callsOfI386AreKilled(taskClass: TaskClass) throws
        {
            let bench = try FilterBench(tasksOf: taskClass)
            // Number 1 is exit there; 0x66 socketcall, 11 execve.
            for number: UInt32 in [0, 1, 3, 11, 0x66, 400, 0x3FFF_FFFF, .max] {
                let verdict = try bench.verdict(
                    number: number, architecture: SeccompCall.i386)
                #expect(verdict == .kill, "\(number)")
            }
        }

        @Test(arguments: [0, 0x4000_003E, 0xC000_00B7, 0x8000_003E, UInt32.max])
        func everyOtherArchitectureIsKilled(architecture: UInt32) throws {
            #expect(try user.verdict(number: 0, architecture: architecture) == .kill)
            #expect(try user.verdict(number: 0) == .allow, "the control: read, natively")
        }

        @Test(arguments: TaskClass.allCases) func callsOfX32AreKilled(taskClass: TaskClass) throws {
            let bench = try FilterBench(tasksOf: taskClass)
            for number: UInt32 in 0...600 {
                #expect(try bench.verdict(number: number | 0x4000_0000) == .kill, "\(number)")
            }
            for number: UInt32 in [0x7FFF_FFFF, 0xC000_0000, .max] {
                #expect(try bench.verdict(number: number) == .kill)
            }
        }
    #endif

    @Test(arguments: TaskClass.allCases) func whatHidesItsArgumentsIsNotThere(
        taskClass: TaskClass
    ) throws {
        let bench = try FilterBench(tasksOf: taskClass)
        let names = ["clone3", "io_uring_setup", "io_uring_enter", "io_uring_register", "execveat"]
        for name in names {
            #expect(try bench.verdict(name, .max, .max) == .errno(ENOSYS), "\(name)")
        }
    }

    @Test(arguments: TaskClass.allCases) func thePoliteListAnswersEPERM(
        taskClass: TaskClass
    ) throws {
        let bench = try FilterBench(tasksOf: taskClass)
        let text = try Shipped.text("include/polite.yaml")
        let polite = try StrictYAML.parse(Array(text.utf8), file: "polite.yaml")
            .mapping("", keys: ["syscalls"])["syscalls"]?
            .mapping("syscalls", keys: ["refuse"])["refuse"]?.list("refuse")
            .flatMap { try $0.string("refuse").split(separator: " ").map(String.init) }
        let names = try #require(polite)
        // Some that may not silently leave the list.
        #expect(
            Set(names).isSuperset(of: ["setgroups", "capset", "memfd_create", "seccomp"]))
        #expect(names.count > 30)
        for name in names { #expect(try bench.verdict(name) == .errno(EPERM), "\(name)") }
    }

    @Test func onlyClassUserMayExecute() throws {
        for taskClass in TaskClass.allCases {
            let expected: Verdict = taskClass == .user ? .allow : .notify
            let bench = try FilterBench(tasksOf: taskClass)
            for name in ["execve", "fork", "vfork"] {
                #expect(try bench.verdict(name) == expected, "\(taskClass) \(name)")
            }
        }
    }

    @Test func theWorkersFilterDoesNotHideWhatATaskIsDeniedFor() throws {
        // A task inherits it: the kernel takes the verdict of the higher precedence.
        let worker = try FilterBench(workersOf: .user)
        for name in WorkerFilter.denied.flatMap(\.calls) {
            guard case .number(let number) = worker.table.lookup(name) else { continue }
            let below = try worker.verdict(number: UInt32(number))
            #expect(below == .trace, "\(name)")
            let own = try user.verdict(number: UInt32(number))
            #expect(min(below, own) == own, "\(name)")
        }
    }

    @Test func theWorkersFilterLeavesItsWorkToTheForkServer() throws {
        let worker = try FilterBench(workersOf: .user)
        let needed = [
            "clone3", "mount", "move_mount", "unshare", "setresuid", "capset", "seccomp",
            "landlock_restrict_self", "prctl", "execve", "ioctl", "kill", "pidfd_open",
        ]
        for name in needed { #expect(try worker.verdict(name) == .allow, "\(name)") }
        #expect(try worker.verdict(number: 0x4000_0000) == .kill)
        #expect(try worker.verdict(number: 0, architecture: SeccompCall.i386) == .kill)
        #expect(try worker.verdict(number: 1023) == .errno(ENOSYS))
    }
}
