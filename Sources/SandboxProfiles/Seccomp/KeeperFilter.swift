// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc
package import LinuxSandbox
import StrictYAML

/// Compiles the filter of root's keepers of grants: what looking at paths and showing them takes.
///
/// A keeper has CAP_SYS_ADMIN and reads what others made: paths, links, mount tables, a fork server's
/// orders. All of it is our own code, so that what it needs can be enumerated, unlike the scheduler's;
/// what is not named answers EPERM, as if the capability was missing.
enum KeeperFilter {
    /// Calls that it makes, by what for.
    static let allowed: [(reason: String, calls: [String])] = [
        ("orders and answers", ["recvmsg", "sendmsg", "poll", "ppoll"]),
        (
            "looking at paths",
            [
                "open", "openat", "openat2", "close", "read", "lseek", "stat", "lstat", "fstat",
                "newfstatat", "statx", "statfs", "fstatfs", "readlink", "readlinkat",
            ]
        ),
        (
            "showing them",
            [
                "setns", "fchdir", "chroot", "open_tree", "mount_setattr", "move_mount",
                "umount2",
            ]
        ),
        ("places to show them at", ["mkdir", "mkdirat", "unlinkat", "umask"]),
        ("what a task made of its class's own directories", ["fchmod"]),
        ("the clock that ends a look", ["setitimer"]),
        (
            "memory",
            ["mmap", "munmap", "mremap", "mprotect", "madvise", "brk", "futex", "getrandom"]
        ),
        ("time", ["clock_gettime", "gettimeofday"]),
        (
            "its end",
            [
                "exit", "exit_group", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "getpid",
                "gettid", "tgkill", "restart_syscall",
            ]
        ),
        ("a last word on standard error", ["write", "writev"]),
    ]

    private static let refusals = [
        // CLONE_NEWNS: the class's mounts and back.
        ArgumentRefusal(
            syscall: "setns", conditions: [.noneOf([0x0002_0000], argument: 1)], errno: EPERM),
        // PROT_EXEC: all of its code is mapped.
        ArgumentRefusal(syscall: "mmap", conditions: [.anyBit(4, argument: 2)], errno: EPERM),
        ArgumentRefusal(syscall: "mprotect", conditions: [.anyBit(4, argument: 2)], errno: EPERM),
        // S_ISUID and S_ISGID: a mode of a class's directory has neither.
        ArgumentRefusal(
            syscall: "fchmod", conditions: [.anyBit(0o6000, argument: 1)], errno: EPERM),
    ]

    private static let subject = "filter of keepers"

    /// Compiles; the same for every class.
    static func compile() throws(ProfileError) -> [FilterInstruction] {
        try compacted(program(), subject: subject)
    }

    /// The program as it comes together from its rules, before it is made smaller.
    static func program() throws(ProfileError) -> [FilterInstruction] {
        let table = SyscallTable.native
        let context = try SeccompContext(default: .answer(EPERM), subject: subject)
        var prologue = FilterPrologue(table: table)
        for name in allowed.flatMap(\.calls) {
            guard case .number(let number) = table.lookup(name) else { continue }
            try context.add(.allow, number)
        }
        for refusal in refusals {
            guard case .number(let number) = table.lookup(refusal.syscall) else { continue }
            prologue.answer(refusal, number: number)
        }
        return try joined(prologue, context.instructions(), subject: subject)
    }
}

extension SystemFilters {
    /// Compiles all filters of the system that are in no plan.
    package static func compile() throws(ProfileError) -> SystemFilters {
        SystemFilters(
            scheduler: try SchedulerFilter.compile(), keeper: try KeeperFilter.compile())
    }
}
