// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import CLinux
import Glibc

extension EscapeCheck {
    /// Options of prctl(2) that every class's filter lets read.
    private enum Option {
        static let seccomp = 21
        static let boundingSet = 23
        static let noNewPrivileges = 39
    }

    /// Tries the way and removes what it makes; what cannot be found out counts as open.
    ///
    /// Only calls that every class's filter answers: one that it kills for would end the canary
    /// before its report.
    func isOpen(channel: Int32) -> Bool {
        switch self {
        case .readShadow: Self.opens("/etc/shadow", O_RDONLY)
        case .writeFirstMemory: Self.opens("/proc/1/mem", O_RDWR)
        case .writeCorePattern: Self.opens("/proc/sys/kernel/core_pattern", O_WRONLY)
        case .writeSysrqTrigger: Self.opens("/proc/sysrq-trigger", O_WRONLY)
        // To the mode that it has: nothing changes where the mount lets it.
        case .changeDevice: chmod("/dev/null", 0o666) == 0
        case .createInUsr: Self.creates("/usr/aico-canary")
        case .createInRoot: Self.creates("/aico-canary")
        case .makeDevice: Self.makesDevice("/tmp/aico-canary")
        // The raw call: glibc's setresuid(3) would ask other threads to follow.
        case .becomeRoot: aico_system_call(Int(SYS_setresuid), 0, 0, 0, 0, 0, 0) == 0
        case .holdCapability: Self.holdsCapability()
        case .regainCapability: Self.boundingSetIsWide()
        case .inheritDescriptor: Self.inheritsDescriptor(beside: channel)
        case .enterRunDirectory: access("/aico/run", F_OK) == 0
        case .signalWorker: Self.signalsOthers()
        case .gainPrivileges: Self.option(Option.noNewPrivileges) != 1
        case .runUnfiltered: Self.option(Option.seccomp) != 2
        }
    }

    private static func opens(_ path: String, _ flags: Int32) -> Bool {
        let file = open(path, flags | O_CLOEXEC)
        guard file >= 0 else { return false }
        close(file)
        return true
    }

    private static func creates(_ path: String) -> Bool {
        let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { return false }
        close(file)
        unlink(path)
        return true
    }

    /// A node of the null device, 1:3.
    private static func makesDevice(_ path: String) -> Bool {
        guard mknod(path, S_IFCHR | 0o600, 1 << 8 | 3) == 0 else { return false }
        unlink(path)
        return true
    }

    private static func option(_ option: Int, _ argument: Int = 0) -> Int {
        aico_system_call(Int(SYS_prctl), option, argument, 0, 0, 0, 0)
    }

    /// Effective, permitted and inheritable set; the ambient set is never more than the last two
    /// have in common (capabilities(7)).
    private static func holdsCapability() -> Bool {
        // _LINUX_CAPABILITY_VERSION_3 and this thread.
        var header: [UInt32] = [0x2008_0522, 0]
        var sets = [UInt32](repeating: 0, count: 6)
        let result = header.withUnsafeMutableBytes { header in
            sets.withUnsafeMutableBytes { sets in
                aico_system_call(
                    Int(SYS_capget), Int(bitPattern: header.baseAddress),
                    Int(bitPattern: sets.baseAddress), 0, 0, 0, 0)
            }
        }
        return result != 0 || sets.contains { $0 != 0 }
    }

    /// Whether more is left than what types of the class may declare, which stays in the set where
    /// a class has no namespace of its own to drop it in.
    private static func boundingSetIsWide() -> Bool {
        guard option(Option.boundingSet, 0) >= 0 else { return true }
        let declarable = TaskCapability.allCases.map { Int($0.rawValue) }
        return (0..<64).contains {
            !declarable.contains($0) && option(Option.boundingSet, $0) == 1
        }
    }

    /// Limits on open files do not close what was open before: looked at far beyond them.
    private static func inheritsDescriptor(beside channel: Int32) -> Bool {
        (3..<4096).contains { $0 != channel && fcntl($0, F_GETFD) != -1 }
    }

    /// Signal 0 to the worker's halves. In a pid namespace of its own this process is the first
    /// and has no parent: then there is nobody to send it to.
    private static func signalsOthers() -> Bool {
        [1, getppid()].contains { process in
            guard process > 0, process != getpid() else { return false }
            // Not kill(2), which ends attempts of the classes that run no programs.
            return aico_system_call(Int(SYS_tgkill), Int(process), Int(process), 0, 0, 0, 0) == 0
        }
    }
}
