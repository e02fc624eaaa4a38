// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// A system call whose permitted values a profile lists by name.
package enum NamedArgument: String, Sendable, CaseIterable, Hashable {
    case ioctl
    case fcntl
    case prctl

    /// The names that a profile may list, with the kernel's numbers.
    var values: [String: UInt32] {
        switch self {
        case .ioctl: Self.ioctlRequests
        case .fcntl: Self.fcntlCommands
        case .prctl: Self.prctlOptions
        }
    }

    // ioctl_tty(2), ioctl_ficlone(2), ioctl_fideduperange(2), ioctl_fiemap: <asm-generic/ioctls.h>,
    // <linux/fs.h>. Requests that act on another process's terminal are left out on purpose.
    private static let ioctlRequests: [String: UInt32] = [
        "TCGETS": 0x5401, "TCSETS": 0x5402, "TCSETSW": 0x5403, "TCSETSF": 0x5404,
        "TIOCGPGRP": 0x540F, "TIOCSPGRP": 0x5410, "TIOCGWINSZ": 0x5413, "TIOCGSID": 0x5429,
        "FIONREAD": 0x541B, "FIONBIO": 0x5421, "FIONCLEX": 0x5450, "FIOCLEX": 0x5451,
        "FS_IOC_GETFLAGS": 0x8008_6601, "FS_IOC_FIEMAP": 0xC020_660B, "FICLONE": 0x4004_9409,
        "FIGETBSZ": 2,
    ]

    // fcntl(2), <linux/fcntl.h>. Without F_SETOWN, F_SETSIG and F_NOTIFY, which direct signals.
    private static let fcntlCommands: [String: UInt32] = [
        "F_DUPFD": 0, "F_GETFD": 1, "F_SETFD": 2, "F_GETFL": 3, "F_SETFL": 4, "F_GETLK": 5,
        "F_SETLK": 6, "F_SETLKW": 7, "F_OFD_GETLK": 36, "F_OFD_SETLK": 37, "F_OFD_SETLKW": 38,
        "F_DUPFD_CLOEXEC": 1030, "F_SETPIPE_SZ": 1031, "F_GETPIPE_SZ": 1032, "F_GET_SEALS": 1034,
        "F_ADD_SEALS": 1033, "F_GET_RW_HINT": 1035,
    ]

    // prctl(2), <linux/prctl.h>. Without anything on capabilities, seccomp, MM or tracing.
    private static let prctlOptions: [String: UInt32] = [
        "PR_SET_PDEATHSIG": 1, "PR_GET_PDEATHSIG": 2, "PR_GET_DUMPABLE": 3,
        "PR_SET_DUMPABLE": 4, "PR_SET_NAME": 15,
        "PR_GET_NAME": 16, "PR_GET_SECCOMP": 21, "PR_CAPBSET_READ": 23, "PR_GET_SECUREBITS": 27,
        "PR_SET_TIMERSLACK": 29, "PR_GET_TIMERSLACK": 30, "PR_SET_CHILD_SUBREAPER": 36,
        "PR_GET_CHILD_SUBREAPER": 37, "PR_SET_NO_NEW_PRIVS": 38, "PR_GET_NO_NEW_PRIVS": 39,
        "PR_GET_THP_DISABLE": 42, "PR_SET_VMA": 0x5356_4D41,
    ]
}

/// Which values of one argument of a system call are permitted.
///
/// Only the low 32 bits are compared: the kernel reads no more of ioctl, clone and socket
/// arguments, and a compare of 64 could be dodged by setting a high one (CVE-2019-10063).
struct ArgumentRule: Equatable {
    /// What happens to a value that is not permitted.
    enum Otherwise: Equatable {
        /// Denied and reported, as an unlisted call.
        case deny
        /// Answered with an errno.
        case answer(CInt)
    }

    /// A second argument that must have one value as well.
    struct Fixed: Equatable {
        var argument: UInt32
        var value: UInt32
    }

    var syscall: String
    var argument: UInt32
    var mask: UInt32 = 0xFFFF_FFFF
    var permitted: [UInt32]
    var otherwise: Otherwise = .deny
    /// Values denied and reported although others are answered.
    var denied: [UInt32] = []
    var fixed: Fixed?
}
