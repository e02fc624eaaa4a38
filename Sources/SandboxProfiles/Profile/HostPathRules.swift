// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import LinuxSandbox
import StrictYAML

/// Which host paths a profile may name.
enum HostPathRules {
    /// What every class may read, if its profile says so: programs, libraries, public settings.
    private static let systemDirectories = ["/usr", "/etc"]
    /// Kernel interfaces and our own mount point: never by path.
    private static let reserved = [
        "/proc", "/sys", "/dev", "/aico", "/tmp", "/run", "/boot", "/root",
        "/var/run", "/var/lock",  // links of Debian's to beneath /run
    ]
    /// Links of a merged /usr, which the class root makes itself.
    private static let links = ["/bin", "/sbin", "/lib", "/lib64"]
    /// Secrets that a class with DAC_READ_SEARCH could read through a wider grant.
    private static let secrets = [
        "/etc/shadow", "/etc/shadow-", "/etc/gshadow", "/etc/gshadow-", "/etc/sudoers",
        "/etc/sudoers.d", "/etc/ssl/private", "/etc/ssh", "/etc/aico",
    ]

    static func check(
        _ path: String, access: LandlockRule.Access, ceiling: ClassCeiling, at item: YAMLValue
    ) throws(ProfileError) {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        let normalised =
            path.utf8.first == UInt8(ascii: "/")
            && parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
        guard normalised, !path.utf8.contains(0), path.utf8.count <= 1024 else {
            throw item.failure("'\(path.prefix(64))' must be an absolute path without '..' or '//'")
        }
        for reservedPath in reserved + links + secrets where isBeneath(path, reservedPath) {
            throw item.failure("'\(path)' may not be granted: '\(reservedPath)' is reserved")
        }
        for secret in secrets where isBeneath(secret, path) {
            throw item.failure("'\(path)' may not be granted: '\(secret)' lies beneath it")
        }
        let isSystem = systemDirectories.contains { isBeneath(path, $0) }
        if access.contains(.execute), !ceiling.execute {
            throw item.failure("the class may not execute programs")
        }
        if access.contains(.write), isSystem {
            throw item.failure("'\(path)' belongs to the system and may not be written")
        }
        guard isSystem || ceiling.declaresHostPaths else {
            throw item.failure("the class may name paths beneath /usr and /etc only")
        }
    }
}
