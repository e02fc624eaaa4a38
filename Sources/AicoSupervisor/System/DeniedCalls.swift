// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Glibc

/// The system calls that no plan may let a task or a worker make, whatever its filter says.
///
/// Root's own list: that of the compiler is not asked.
enum DeniedCalls {
    /// One call, by its number, its name and the low halves of arguments that matter.
    struct Call {
        var name: String
        var number: Int32
        /// By the argument's number.
        var arguments: [UInt32: UInt32] = [:]

        init(_ name: String, _ number: Int32, _ arguments: [UInt32: UInt32] = [:]) {
            self.name = name
            self.number = number
            self.arguments = arguments
        }
    }

    /// Of workers and fork servers as of tasks: they need none of these.
    static let ofWorkers: [Call] = [
        // Other processes.
        Call("ptrace", SYS_ptrace), Call("process_vm_readv", SYS_process_vm_readv),
        Call("process_vm_writev", SYS_process_vm_writev), Call("kcmp", SYS_kcmp),
        Call("pidfd_getfd", SYS_pidfd_getfd), Call("process_madvise", SYS_process_madvise),
        // Other namespaces, and files without their path.
        Call("setns", SYS_setns), Call("open_by_handle_at", SYS_open_by_handle_at),
        Call("fanotify_init", SYS_fanotify_init),
        // The kernel, its modules and its interpreters.
        Call("init_module", SYS_init_module), Call("finit_module", SYS_finit_module),
        Call("delete_module", SYS_delete_module), Call("kexec_load", SYS_kexec_load),
        Call("reboot", SYS_reboot), Call("bpf", SYS_bpf),
        Call("perf_event_open", SYS_perf_event_open), Call("userfaultfd", SYS_userfaultfd),
        Call("io_uring_setup", SYS_io_uring_setup), Call("io_uring_enter", SYS_io_uring_enter),
        Call("io_uring_register", SYS_io_uring_register), Call("syslog", SYS_syslog),
        // The host's swap, quota, accounting, clock, names and keys.
        Call("swapon", SYS_swapon), Call("swapoff", SYS_swapoff), Call("acct", SYS_acct),
        Call("quotactl", SYS_quotactl), Call("settimeofday", SYS_settimeofday),
        Call("clock_settime", SYS_clock_settime), Call("sethostname", SYS_sethostname),
        Call("setdomainname", SYS_setdomainname), Call("add_key", SYS_add_key),
        Call("request_key", SYS_request_key), Call("move_pages", SYS_move_pages),
        Call("migrate_pages", SYS_migrate_pages),
    ]

    /// Mounts, namespaces, keys of others and terminals: what the fork server alone needs a part of.
    private static let ofForkServers: [Call] =
        [
            Call("mount", SYS_mount), Call("umount2", SYS_umount2),
            Call("pivot_root", SYS_pivot_root), Call("chroot", SYS_chroot),
            Call("move_mount", SYS_move_mount), Call("open_tree", SYS_open_tree),
            Call("fsopen", SYS_fsopen), Call("fsconfig", SYS_fsconfig),
            Call("fsmount", SYS_fsmount), Call("fspick", SYS_fspick),
            Call("mount_setattr", SYS_mount_setattr), Call("unshare", SYS_unshare),
            Call("keyctl", SYS_keyctl), Call("vhangup", SYS_vhangup),
            // Its flags lie behind a pointer, where no filter sees them.
            Call("clone3", SYS_clone3),
        ] + namespaces

    /// Of the scheduler beside those of workers: it has a network, by sockets of three families.
    static let ofScheduler: [Call] =
        ofWorkers + ofForkServers + sockets([17, 38, 40])
        + [Call("personality", SYS_personality, [0: 0x0040_0000])]

    /// Of root's keepers of grants: they make mounts of what is there and enter the namespace of a
    /// class, and start nothing, make no file system and have no ids to change.
    static let ofKeepers: [Call] =
        ofWorkers.filter { $0.number != SYS_setns } + namespaces
        + [
            Call("setns of any namespace", SYS_setns, [1: 0]),
            Call("setns of a user namespace", SYS_setns, [1: 1 << 28]),
            Call("setns of a pid namespace", SYS_setns, [1: 1 << 29]),
            Call("setns of a network namespace", SYS_setns, [1: 1 << 30]),
            Call("mount", SYS_mount), Call("pivot_root", SYS_pivot_root),
            Call("fsopen", SYS_fsopen), Call("fsconfig", SYS_fsconfig),
            Call("fsmount", SYS_fsmount), Call("fspick", SYS_fspick),
            Call("unshare", SYS_unshare), Call("keyctl", SYS_keyctl),
            Call("vhangup", SYS_vhangup), Call("clone", SYS_clone), Call("clone3", SYS_clone3),
            Call("execve", SYS_execve), Call("execveat", SYS_execveat),
            Call("socket", SYS_socket), Call("mknodat", SYS_mknodat),
            Call("setuid", SYS_setuid), Call("setgid", SYS_setgid),
            Call("setresuid", SYS_setresuid), Call("setresgid", SYS_setresgid),
            Call("setgroups", SYS_setgroups), Call("capset", SYS_capset),
            Call("seccomp", SYS_seccomp), Call("prctl", SYS_prctl), Call("kill", SYS_kill),
            Call("fchown", SYS_fchown), Call("fchownat", SYS_fchownat),
            Call("fchmod of set-user-id", SYS_fchmod, [1: 0o4755]),
            Call("fchmodat", SYS_fchmodat), Call("renameat2", SYS_renameat2),
            Call("linkat", SYS_linkat), Call("symlinkat", SYS_symlinkat),
            Call("mmap of code", SYS_mmap, [2: 4]), Call("mprotect of code", SYS_mprotect, [2: 4]),
        ]

    /// Of tasks beside those of workers.
    static let ofTasks: [Call] =
        ofForkServers + [
            Call("setgroups", SYS_setgroups), Call("capset", SYS_capset),
            Call("seccomp", SYS_seccomp),
            // What they do lies behind a pointer.
            Call("openat2", SYS_openat2), Call("execveat", SYS_execveat),
            // Root's ids, by each argument.
            Call("setuid(0)", SYS_setuid, [0: 0]), Call("setgid(0)", SYS_setgid, [0: 0]),
            Call("setreuid(0)", SYS_setreuid, [0: 0]), Call("setreuid(, 0)", SYS_setreuid, [1: 0]),
            Call("setresuid(0)", SYS_setresuid, [0: 0]),
            Call("setresuid(, 0)", SYS_setresuid, [1: 0]),
            Call("setresuid(, , 0)", SYS_setresuid, [2: 0]),
            // Files that lend who made them, and devices: S_ISUID, S_IFCHR and S_IFBLK.
            Call("chmod of set-user-id", SYS_fchmodat, [2: 0o4755]),
            Call("chmod of set-user-id", SYS_fchmod, [1: 0o4755]),
            Call("mknod of a device", SYS_mknodat, [2: 0o020600]),
            Call("mknod of a device", SYS_mknodat, [2: 0o060600]),
            // TIOCSTI and TIOCLINUX: input of another's terminal.
            Call("ioctl TIOCSTI", SYS_ioctl, [1: 0x5412]),
            Call("ioctl TIOCLINUX", SYS_ioctl, [1: 0x541C]),
            // READ_IMPLIES_EXEC, and PR_SET_SECCOMP, PR_SET_MM, PR_CAP_AMBIENT.
            Call("personality", SYS_personality, [0: 0x0040_0000]),
            Call("prctl PR_SET_SECCOMP", SYS_prctl, [0: 22]),
            Call("prctl PR_SET_MM", SYS_prctl, [0: 35]),
            Call("prctl PR_CAP_AMBIENT", SYS_prctl, [0: 47]),
        ] + sockets([2, 10, 16, 17, 38, 40]) + onlyHere

    /// Of AF_INET 2, AF_INET6 10, AF_NETLINK 16, AF_PACKET 17, AF_ALG 38, AF_VSOCK 40.
    private static func sockets(_ families: [UInt32]) -> [Call] {
        families.map { Call("socket of family \($0)", SYS_socket, [0: $0]) }
    }

    /// CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET, with SIGCHLD.
    private static let namespaces: [Call] = [17, 25, 26, 27, 28, 29, 30].map {
        (bit: UInt32) -> Call in
        Call("clone into a namespace", SYS_clone, [0: 1 << bit | 17])
    }

    #if arch(x86_64)
        /// Calls that other machines do not have.
        private static let onlyHere: [Call] = [
            Call("iopl", SYS_iopl), Call("ioperm", SYS_ioperm), Call("modify_ldt", SYS_modify_ldt),
            Call("chmod of set-user-id", SYS_chmod, [1: 0o4755]),
            Call("mknod of a device", SYS_mknod, [1: 0o020600]),
        ]
        static let native: UInt32 = 0xC000_003E
        /// AUDIT_ARCH_I386 of <linux/audit.h>.
        static let foreign: UInt32 = 0x4000_0003
        /// Calls with this bit are of another table over the same kernel: x32.
        static let otherTable: UInt32? = 0x4000_0000
    #else
        private static let onlyHere: [Call] = []
        static let native: UInt32 = 0xC000_00B7
        /// AUDIT_ARCH_ARM.
        static let foreign: UInt32 = 0x4000_0028
        static let otherTable: UInt32? = nil
    #endif

    /// What a task's filter lets run although none may; nil where it is as it has to be.
    static func excess(ofTasks judge: FilterJudge, mayExecute: Bool) -> String? {
        let programs = mayExecute ? [] : [Call("execve", SYS_execve)]
        return excess(judge, ofWorkers + ofTasks + programs)
    }

    /// The same of the filter of worker and fork server.
    static func excess(ofWorkers judge: FilterJudge) -> String? { excess(judge, ofWorkers) }

    /// The same of the scheduler's filter.
    static func excess(ofScheduler judge: FilterJudge) -> String? { excess(judge, ofScheduler) }

    /// The same of the filter of root's keepers of grants.
    static func excess(ofKeepers judge: FilterJudge) -> String? { excess(judge, ofKeepers) }

    private static func excess(_ judge: FilterJudge, _ calls: [Call]) -> String? {
        typealias Word = FilterJudge.Word
        func judged(_ words: [UInt32: UInt32], _ name: String) -> String? {
            switch judge.verdict(on: words) {
            case .denied: nil
            case .permitted: "lets run \(name)"
            case .unknown: "has an instruction that cannot be judged"
            }
        }
        if let excess = judged([Word.architecture: foreign], "programs of another architecture") {
            return excess
        }
        for call in calls {
            var words = [Word.architecture: native, Word.number: UInt32(call.number)]
            for (index, value) in call.arguments { words[Word.argument(index)] = value }
            if let excess = judged(words, call.name) { return excess }
        }
        guard let otherTable else { return nil }
        // Its own numbers of what takes pointers lie at 512 to 547.
        for number in calls.map({ UInt32($0.number) }) + Array(512...547) {
            let words = [Word.architecture: native, Word.number: number | otherTable]
            if let excess = judged(words, "calls of x32") { return excess }
        }
        return nil
    }
}
