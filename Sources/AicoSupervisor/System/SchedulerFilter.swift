// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Glibc
import LinuxSandbox

/// The scheduler's seccomp filter: what a program of files, threads and sockets never needs.
///
/// It has no capability and no_new_privs; this takes the kernel's wider surface away as well.
/// The filter of a task is default-deny and compiled from its profile; this one lets pass what is
/// not named, because libzmq, SQLite and the Swift runtime are not ours to enumerate.
enum SchedulerFilter {
    /// Answered with EPERM. The reason stands before each group.
    static let denied: [Int32] = [
        // Reading or steering other processes.
        SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_kcmp, SYS_pidfd_getfd,
        SYS_process_madvise, SYS_migrate_pages, SYS_move_pages,
        // Mounts and namespaces.
        SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_unshare, SYS_setns, SYS_fsopen,
        SYS_fsconfig, SYS_fsmount, SYS_fspick, SYS_open_tree, SYS_move_mount, SYS_mount_setattr,
        // Files around path permissions.
        SYS_open_by_handle_at, SYS_name_to_handle_at, SYS_quotactl, SYS_acct, SYS_mknodat,
        // Kernel code and its interpreters: where most local root exploits begin.
        SYS_bpf, SYS_perf_event_open, SYS_userfaultfd, SYS_io_uring_setup, SYS_io_uring_enter,
        SYS_io_uring_register, SYS_init_module, SYS_finit_module, SYS_delete_module,
        SYS_kexec_load, SYS_reboot, SYS_swapon, SYS_swapoff, SYS_syslog,
        // Keyrings are shared by all processes of a uid.
        SYS_add_key, SYS_request_key, SYS_keyctl,
        // Time and names of the host.
        SYS_settimeofday, SYS_clock_settime, SYS_adjtimex, SYS_clock_adjtime, SYS_sethostname,
        SYS_setdomainname, SYS_vhangup, SYS_personality, SYS_vmsplice,
    ]

    /// CLONE_NEW* of clone(2): namespaces by the way of fork.
    static let namespaceFlags: UInt32 = 0x7E02_0000 | 0x80

    /// Address families a socket may have: unix, inet, inet6, netlink (interface lists).
    static let families: [UInt32] = [1, 2, 10, 16]

    /// The program, for this build's architecture.
    static func instructions() -> [FilterInstruction] {
        var program: [FilterInstruction] = [
            load(offset: 4), jump(.equal, architecture, 1, 0), answer(kill), load(offset: 0),
        ]
        #if arch(x86_64)
            // The x32 numbers are another table over the same calls.
            program += [jump(.greaterOrEqual, 0x4000_0000, 0, 1), answer(kill)]
        #endif
        for number in denied {
            program += [jump(.equal, UInt32(number), 0, 1), answer(refuse | UInt32(EPERM))]
        }
        // clone3's flags are behind a pointer; libc falls back to clone.
        program += [
            jump(.equal, UInt32(SYS_clone3), 0, 1), answer(refuse | UInt32(ENOSYS)),
            jump(.equal, UInt32(SYS_clone), 0, 4), load(offset: 16),
            jump(.anyBit, namespaceFlags, 0, 1), answer(refuse | UInt32(EPERM)), answer(allow),
            jump(.equal, UInt32(SYS_socket), 0, UInt8(families.count + 2)), load(offset: 16),
        ]
        for (index, family) in families.enumerated() {
            program.append(jump(.equal, family, UInt8(families.count - index), 0))
        }
        program += [answer(refuse | UInt32(EAFNOSUPPORT)), answer(allow)]
        return program
    }

    // linux/seccomp.h, linux/audit.h, linux/bpf_common.h
    static let allow: UInt32 = 0x7FFF_0000
    static let refuse: UInt32 = 0x0005_0000
    static let kill: UInt32 = 0x8000_0000
    #if arch(x86_64)
        static let architecture: UInt32 = 0xC000_003E
    #else
        static let architecture: UInt32 = 0xC000_00B7
    #endif

    private enum Comparison: UInt16 {
        case equal = 0x15
        case greaterOrEqual = 0x35
        case anyBit = 0x45
    }

    private static func load(offset: UInt32) -> FilterInstruction {
        FilterInstruction(code: 0x20, jumpTrue: 0, jumpFalse: 0, constant: offset)
    }

    private static func jump(
        _ comparison: Comparison, _ constant: UInt32, _ yes: UInt8, _ no: UInt8
    ) -> FilterInstruction {
        FilterInstruction(
            code: comparison.rawValue, jumpTrue: yes, jumpFalse: no, constant: constant)
    }

    private static func answer(_ value: UInt32) -> FilterInstruction {
        FilterInstruction(code: 0x06, jumpTrue: 0, jumpFalse: 0, constant: value)
    }
}
