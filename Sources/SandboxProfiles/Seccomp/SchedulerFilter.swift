// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc
import LinuxSandbox
import StrictYAML

/// Compiles the filter of the scheduler: what a program of files, threads and sockets never needs.
///
/// It has no capability and no_new_privs; this takes the kernel's wider surface away as well. A
/// table and no profile: libzmq, SQLite and the Swift runtime are not ours to enumerate, so that what
/// is not named passes, and there is nothing in it for an administrator to grant.
enum SchedulerFilter {
    /// Calls that are answered EPERM, by what they reach.
    static let denied: [(reason: String, calls: [String])] =
        WorkerFilter.denied + [
            (EscapeCalls.mounts.reason, EscapeCalls.mounts.calls),
            ("keys of others", ["keyctl"]),
            ("handles of files without their path", ["name_to_handle_at"]),
            ("devices", ["mknod", "mknodat"]),
            ("the host's clock", ["adjtimex", "clock_adjtime"]),
            ("the terminals of the host", ["vhangup"]),
            ("habits of another system, with which memory can be run", ["personality"]),
        ]

    /// Answered ENOSYS: its flags are behind a pointer, and libc falls back to clone.
    private static let unavailable = "clone3"

    private static let refusals = [
        // CLONE_NEW* of clone(2): namespaces by the way of fork.
        ArgumentRefusal(
            syscall: "clone", conditions: [.anyBit(0x7E02_0080, argument: 0)], errno: EPERM),
        // Families: unix, inet, inet6, and netlink for lists of interfaces.
        ArgumentRefusal(
            syscall: "socket", conditions: [.noneOf([1, 2, 10, 16], argument: 0)],
            errno: EAFNOSUPPORT),
    ]

    private static let subject = "filter of the scheduler"

    /// Compiles.
    static func compile() throws(ProfileError) -> [FilterInstruction] {
        try compacted(program(), subject: subject)
    }

    /// The program as it comes together from its rules, before it is made smaller.
    static func program() throws(ProfileError) -> [FilterInstruction] {
        let table = SyscallTable.native
        let context = try SeccompContext(default: .allow, subject: subject)
        var prologue = FilterPrologue(table: table)
        let answers = denied.flatMap(\.calls).map { ($0, EPERM) } + [(unavailable, ENOSYS)]
        for (name, errno) in answers {
            guard case .number(let number) = table.lookup(name) else { continue }
            try context.add(.answer(errno), number)
        }
        for refusal in refusals {
            guard case .number(let number) = table.lookup(refusal.syscall) else { continue }
            prologue.answer(refusal, number: number)
        }
        return try joined(prologue, context.instructions(), subject: subject)
    }
}
