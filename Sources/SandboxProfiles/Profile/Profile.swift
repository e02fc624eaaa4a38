// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import AicoCore
import CLinux
package import Capabilities
package import LinuxSandbox
package import StrictYAML

/// Why a profile was refused: file, line, reason, nearest known word.
package typealias ProfileError = YAMLFailure

/// A checked profile: one class's grants and limits, before they become mounts and BPF.
package struct Profile: Sendable, Equatable {
    /// The class it confines.
    package var taskClass: TaskClass
    /// Limits of one attempt.
    package var attemptLimits = PlanLimits()
    /// Limits of the class together.
    package var classLimits = PlanLimits()
    /// How many attempts may run at once.
    package var concurrency: UInt16 = 1
    /// Layers that may be missing.
    package var optionalLayers: Set<Layer> = []
    /// Capabilities on the host.
    package var capabilities: CapabilitySet = []
    /// What is read, written or executed of the host's file tree.
    package var hostPaths: [HostPath] = []
    /// The instance's own directories.
    package var directories: [DirectoryGrant] = []
    /// Device nodes below /dev.
    package var devices: [Device] = []
    /// Size of the private /tmp in bytes.
    package var temporaryBytes: UInt64 = 0
    /// The umask of attempts.
    package var fileMask: UInt16 = 0o077
    /// Whether a task starts threads only, or processes too.
    package var processes = ProcessGrant.threads
    /// Socket families that a task may create.
    package var socketFamilies: [SocketFamily] = []
    /// Whether memory may be writable and executable.
    package var writableExecutableMemory = false
    /// The system calls.
    package var syscalls = SyscallGrants()
    /// Where each listed call stands, as `include/a.yaml:12`.
    var places: [String: String] = [:]

    /// Whether a task may execute programs.
    package var mayExecute: Bool { hostPaths.contains { $0.access.contains(.execute) } }
}

/// One path of the host that appears at the same place in the class root.
package struct HostPath: Sendable, Equatable {
    /// Absolute, without `..`, normalised.
    package var path: String
    /// What tasks may do beneath it.
    package var access: LandlockRule.Access
    /// A missing path is passed over.
    package var ifPresent: Bool
    /// Where it stands, for messages.
    var line: Int
    var file: String
}

/// One of the instance's directories, granted to a class.
package struct DirectoryGrant: Sendable, Equatable {
    /// Which one.
    package var directory: InstanceDirectory
    /// Read, or read and write.
    package var access: LandlockRule.Access
}

/// Whether a task starts threads only, or processes too.
package enum ProcessGrant: String, Sendable, CaseIterable {
    case threads
    case children
}

/// A socket family that a profile can grant.
package enum SocketFamily: String, Sendable, CaseIterable {
    /// AF_UNIX: reaches the pathname sockets that are mounted into the class root.
    case unix

    /// The kernel's number.
    var number: UInt32 {
        switch self {
        case .unix: 1
        }
    }
}

/// A device node that a profile can grant.
package enum Device: String, Sendable, CaseIterable {
    case null, zero, full, random, urandom
}

/// The system calls of a profile, by what happens to them; all others are denied and reported.
package struct SyscallGrants: Sendable, Equatable {
    /// Run.
    package var allowed: Set<String> = []
    /// Answered with EPERM.
    package var refused: Set<String> = []
    /// Answered with ENOSYS, so that libc falls back.
    package var unavailable: Set<String> = []
    /// Requests, commands and options by rule: `ioctl`, `fcntl`, `prctl`.
    package var arguments: [NamedArgument: Set<UInt32>] = [:]
}
