// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// The system calls that lead out of a sandbox: a task that makes one is ended, and its record names
/// the call, unless its profile puts it under `refuse` or `unavailable`.
enum EscapeCalls {
    /// Every other call that is not granted answers ENOSYS.
    static let calls = Set(WorkerFilter.denied.flatMap(\.calls)).subtracting(harmless)
        .union(mounts.calls).union([
            // Keys of others, and the terminals of the host.
            "keyctl", "vhangup",
            // Where no program may be run at all.
            "execve", "fork", "vfork",
        ])

    static let mounts = (
        reason: "mounts and namespaces",
        calls: [
            "mount", "umount2", "pivot_root", "chroot", "move_mount", "open_tree", "fsopen",
            "fsconfig", "fsmount", "fspick", "mount_setattr", "unshare",
        ]
    )

    /// Workers do not need them either, but programs try them and do without: coreutils' yes tries
    /// vmsplice, and what is long gone answers as it does everywhere.
    private static let harmless: Set = [
        "vmsplice", "io_uring_setup", "io_uring_enter", "io_uring_register", "lookup_dcookie",
        "uselib", "ustat", "sysfs", "_sysctl", "nfsservctl", "create_module",
    ]
}
