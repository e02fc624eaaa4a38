// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc

/// Arguments with which a call that a profile allows is refused all the same.
struct ArgumentRefusal: Equatable {
    /// One that must hold, of the low 32 bits of an argument: the kernel reads no more of these.
    enum Condition: Equatable {
        case anyBit(UInt32, argument: UInt32)
        case equal(UInt32, argument: UInt32)
        case noneOf([UInt32], argument: UInt32)
        /// All 64 bits: a pointer.
        case notNull(argument: UInt32)
    }

    var syscall: String
    var conditions: [Condition]
    /// What it answers; 0 says that it was done, and nothing is. Nil leaves the answer to the fork
    /// server.
    var errno: CInt?

    /// Those of every profile.
    static let always = specialModes + deviceNodes + coreLimits

    /// The calls that change who a process is, each with the number of its ids. setgroups is none:
    /// the kernel refuses it to everybody without CAP_SETGID, whatever the groups.
    static let identityCalls: [(syscall: String, count: UInt32, ofGroup: Bool)] = [
        ("setuid", 1, false), ("setreuid", 2, false), ("setresuid", 3, false),
        ("setfsuid", 1, false), ("setgid", 1, true), ("setregid", 2, true),
        ("setresgid", 3, true), ("setfsgid", 1, true),
    ]

    /// What the kernel grants everybody, since it changes nothing: one's own ids and -1, which
    /// leaves an id as it is. GNU make, posix_spawn with POSIX_SPAWN_RESETIDS and Python's
    /// subprocess(user=) set theirs before each exec and give up where they may not. Any other id
    /// is refused twice: here, and for want of CAP_SETUID and CAP_SETGID.
    static func foreignIdentities(user: UInt32, group: UInt32) -> [ArgumentRefusal] {
        identityCalls.flatMap { call in
            (0..<call.count).map { argument in
                ArgumentRefusal(
                    syscall: call.syscall,
                    conditions: [
                        .noneOf([call.ofGroup ? group : user, .max], argument: argument)
                    ],
                    errno: EPERM)
            }
        }
    }

    /// Without these, memory could be had that is written through one mapping and executed through
    /// another: mmap for execution, shared; the same pages once more, by mremap with an old size of
    /// 0 or by fork; mprotect of one of the two to writable. What loads programs maps files,
    /// privately.
    static let sharedExecutableMemory = ArgumentRefusal(
        syscall: "mmap",
        conditions: [
            .anyBit(4, argument: 2),  // PROT_EXEC
            .anyBit(0x21, argument: 3),  // MAP_SHARED, MAP_ANONYMOUS
        ],
        errno: nil)

    /// S_ISUID: directories of the host that a task writes to are its own there, and a file with it
    /// lends the class's identity to whoever on the host runs it.
    ///
    /// S_ISGID where a file is made. A filter cannot tell a file from a directory by a path or a
    /// descriptor, and set-group-id directories are everywhere (`rsync -a`, `tar xp`,
    /// `git init --shared`), so chmod may set it: docs/threat-model.md says what a set-group-id
    /// file then lends, and why that is little. mkdir is left alone: the kernel takes neither bit
    /// of its mode (vfs_mkdir). openat2's mode lies behind a pointer: no profile can allow it.
    private static let specialModes: [ArgumentRefusal] = {
        let user: UInt32 = 0o4000
        let both: UInt32 = 0o6000
        let places: [(syscall: String, mode: UInt32, bits: UInt32)] = [
            ("chmod", 1, user), ("fchmod", 1, user), ("fchmodat", 2, user),
            ("fchmodat2", 2, user), ("creat", 1, both), ("mknod", 1, both), ("mknodat", 2, both),
        ]
        // O_CREAT and __O_TMPFILE: without either the mode is not read, and may be anything.
        func makes(_ argument: UInt32) -> Condition { .anyBit(0o2000_0100, argument: argument) }
        return places.map {
            ArgumentRefusal(
                syscall: $0.syscall, conditions: [.anyBit($0.bits, argument: $0.mode)],
                errno: EPERM)
        } + [
            ArgumentRefusal(
                syscall: "open", conditions: [makes(1), .anyBit(both, argument: 2)], errno: EPERM),
            ArgumentRefusal(
                syscall: "openat", conditions: [makes(2), .anyBit(both, argument: 3)],
                errno: EPERM),
        ]
    }()

    /// Of the types of S_IFMT this bit is that of S_IFCHR and S_IFBLK alone, and of S_IFLNK, which
    /// mknod does not make: files, fifos and sockets stay.
    private static let deviceNodes = [
        ArgumentRefusal(
            syscall: "mknod", conditions: [.anyBit(0o020000, argument: 1)], errno: EPERM),
        ArgumentRefusal(
            syscall: "mknodat", conditions: [.anyBit(0o020000, argument: 2)], errno: EPERM),
    ]

    /// RLIMIT_CORE is 1, which alone keeps a core from a pipe (core(5)): it may not become 0.
    ///
    /// What the new limit is lies behind a pointer. A change is answered as done and left: gpg and
    /// `ulimit -c 0` ask for no core, which is what they have; there is no core for those who ask
    /// for one. Other limits are the kernel's: without CAP_SYS_RESOURCE a hard limit only sinks.
    private static let coreLimits = [
        ArgumentRefusal(syscall: "setrlimit", conditions: [.equal(4, argument: 0)], errno: 0),
        // The old limit would stay unwritten, which nobody expects of what was done.
        ArgumentRefusal(
            syscall: "prlimit64",
            conditions: [.equal(4, argument: 1), .notNull(argument: 2), .notNull(argument: 3)],
            errno: EPERM),
        // With a null pointer it only asks.
        ArgumentRefusal(
            syscall: "prlimit64", conditions: [.equal(4, argument: 1), .notNull(argument: 2)],
            errno: 0),
    ]
}
