// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Glibc
import LinuxSystem

/// What the supervisor was started with: set here to what the system needs, so that it decides
/// nothing. What cannot be set is refused with its number.
///
/// An affinity stays: whoever gave it (taskset(1), CPUAffinity= of systemd) meant this system.
enum Inherited {
    /// A limit of a process, and what the system needs of it.
    struct Limit {
        let resource: __rlimit_resource_t
        /// For the message.
        let words: String
        /// As ulimit(1) and systemd.exec(5) have it.
        let option: String
        let directive: String
        let least: UInt64
    }

    /// RLIMIT_NPROC, which the module of glibc hides.
    private static let nproc: __rlimit_resource_t = 6

    /// Soft limits are raised to the hard ones; these have a least.
    static let limits = [
        Limit(
            resource: __rlimit_resource_t(RLIMIT_NOFILE.rawValue), words: "open files",
            option: "-n",
            directive: "LimitNOFILE", least: 1024),
        Limit(
            resource: nproc, words: "processes", option: "-u",
            directive: "LimitNPROC", least: 128),
        Limit(
            resource: __rlimit_resource_t(RLIMIT_FSIZE.rawValue), words: "bytes of a file",
            option: "-f",
            directive: "LimitFSIZE", least: 1 << 30),
        Limit(
            resource: __rlimit_resource_t(RLIMIT_AS.rawValue), words: "bytes of address space",
            option: "-v",
            directive: "LimitAS", least: 4 << 30),
        Limit(
            resource: __rlimit_resource_t(RLIMIT_DATA.rawValue), words: "bytes of data",
            option: "-d",
            directive: "LimitDATA", least: 1 << 30),
        Limit(
            resource: __rlimit_resource_t(RLIMIT_CPU.rawValue), words: "seconds of processor time",
            option: "-t",
            directive: "LimitCPU", least: .max),
    ]

    /// Sets all of it; the first thing that the program does.
    static func settle() throws(SupervisorError) {
        umask(0o022)
        // Or no child's status would be known.
        guard aico_keep_children() == 0 else { throw .system("hear of", "children") }
        // Programs that are started from here on, not this one: root reads no file of others.
        guard aico_reset_personality() == 0 else { throw .system("set", "personality") }
        // Fails where the machine gives no such right; the attempt's cgroup decides then.
        _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 0)
        for limit in limits { try raise(limit) }
    }

    private static func raise(_ limit: Limit) throws(SupervisorError) {
        var value = rlimit()
        guard getrlimit(limit.resource, &value) == 0 else {
            throw .system("read the limit of", limit.words)
        }
        guard value.rlim_max >= limit.least else {
            let least = limit.least == .max ? "no limit" : "\(limit.least)"
            throw SupervisorError(
                operation: "start with a hard limit of",
                subject: "\(value.rlim_max) \(limit.words)",
                reason: .invalid(
                    "it needs \(least); type: ulimit -H \(limit.option) unlimited, or set "
                        + "\(limit.directive)=infinity in the unit"))
        }
        value.rlim_cur = value.rlim_max
        guard setrlimit(limit.resource, &value) == 0 else {
            throw .system("raise the limit of", limit.words)
        }
    }
}
