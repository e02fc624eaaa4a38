// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import LinuxSandbox
import StrictYAML

/// Compiles the filter of worker and fork server, installed before the worker's exec.
///
/// It allows what it does not name: the fork server confines others and needs mount, clone3,
/// Landlock, seccomp. What it names answers ENOSYS by `skip`, whose precedence is below the
/// notifier's: the same call from a task process, which inherits this filter, is still reported by
/// name. An errno here would come first and hide it (seccomp(2), "action values").
enum WorkerFilter {
    /// Calls that no worker needs and that reach past its namespaces, by what they reach.
    static let denied: [(reason: String, calls: [String])] = [
        ("another kernel", ["kexec_load", "kexec_file_load", "reboot"]),
        ("kernel modules", ["init_module", "finit_module", "delete_module", "create_module"]),
        ("programs in the kernel", ["bpf", "perf_event_open"]),
        (
            "another process's memory or descriptors",
            [
                "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "kcmp",
                "process_mrelease", "pidfd_getfd",
            ]
        ),
        ("another namespace", ["setns"]),
        ("files without their path", ["open_by_handle_at", "lookup_dcookie"]),
        ("every file access of the host", ["fanotify_init", "fanotify_mark"]),
        ("the host's clock", ["clock_settime", "settimeofday"]),
        ("the host's swap, quota and accounting", ["swapon", "swapoff", "acct"]),
        ("the host's quota", ["quotactl", "quotactl_fd"]),
        ("hardware ports", ["iopl", "ioperm"]),
        ("the kernel's log", ["syslog"]),
        ("kernel stalls used by exploits", ["userfaultfd", "vmsplice"]),
        ("calls that no filter sees", ["io_uring_setup", "io_uring_enter", "io_uring_register"]),
        ("keys of others", ["add_key", "request_key"]),
        ("the descriptor table of x86 segments", ["modify_ldt", "vm86", "vm86old"]),
        ("the host's name", ["sethostname", "setdomainname"]),
        ("pages of other nodes", ["move_pages", "migrate_pages"]),
        ("long gone interfaces", ["uselib", "ustat", "sysfs", "_sysctl", "nfsservctl"]),
    ]

    private static let subject = "filter of workers"

    /// Compiles; the same for every class.
    static func compile() throws(ProfileError) -> [FilterInstruction] {
        try compacted(program(), subject: subject)
    }

    /// The program as libseccomp and the prologue make it, before it is made smaller.
    static func program() throws(ProfileError) -> [FilterInstruction] {
        let table = SyscallTable.native
        let context = try SeccompContext(default: .allow, subject: subject)
        for name in denied.flatMap(\.calls) {
            guard case .number(let number) = table.lookup(name) else { continue }
            try context.add(.skip, number)
        }
        return try joined(
            FilterPrologue(table: table), context.instructions(), subject: subject)
    }
}
