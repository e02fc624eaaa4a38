// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc

/// Arguments with which a call that a profile allows is refused all the same.
struct ArgumentRefusal: Equatable {
    /// One that must hold, of the low 32 bits of an argument: the kernel reads no more of these.
    enum Condition: Equatable {
        case anyBit(UInt32, argument: UInt32)
        case equal(UInt32, argument: UInt32)
        /// All 64 bits: a pointer.
        case notNull(argument: UInt32)
    }

    var syscall: String
    var conditions: [Condition]
    var errno: CInt

    /// Those of every profile.
    static let always = specialModes + coreLimits

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
        errno: EACCES)

    /// S_ISUID and S_ISGID: directories of the host that a task writes to are its own there, and a
    /// file with either bit lends the class's identity to whoever on the host runs it. As
    /// systemd's RestrictSUIDSGID. openat2's mode lies behind a pointer: no profile can allow it.
    private static let specialModes: [ArgumentRefusal] = {
        let places: [(syscall: String, mode: UInt32)] = [
            ("chmod", 1), ("fchmod", 1), ("fchmodat", 2), ("fchmodat2", 2), ("creat", 1),
            ("mkdir", 1), ("mkdirat", 2), ("mknod", 1), ("mknodat", 2),
        ]
        func special(_ argument: UInt32) -> Condition { .anyBit(0o6000, argument: argument) }
        // O_CREAT and __O_TMPFILE: without either the mode is not read, and may be anything.
        func makes(_ argument: UInt32) -> Condition { .anyBit(0o2000_0100, argument: argument) }
        return places.map {
            ArgumentRefusal(syscall: $0.syscall, conditions: [special($0.mode)], errno: EPERM)
        } + [
            ArgumentRefusal(syscall: "open", conditions: [makes(1), special(2)], errno: EPERM),
            ArgumentRefusal(syscall: "openat", conditions: [makes(2), special(3)], errno: EPERM),
        ]
    }()

    /// RLIMIT_CORE is 1, which alone keeps a core from a pipe (core(5)): it may not become 0.
    private static let coreLimits = [
        ArgumentRefusal(syscall: "setrlimit", conditions: [.equal(4, argument: 0)], errno: EPERM),
        // With a null pointer it only asks.
        ArgumentRefusal(
            syscall: "prlimit64", conditions: [.equal(4, argument: 1), .notNull(argument: 2)],
            errno: EPERM),
    ]
}
