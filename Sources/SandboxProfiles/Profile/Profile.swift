// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

public import AicoCore
public import CLinux
public import Capabilities
public import LinuxSandbox
public import StrictYAML

/// Why a profile was refused: file, line, reason, nearest known word.
public typealias ProfileError = YAMLFailure

/// A checked profile: one class's grants and limits, before they become mounts and BPF.
public struct Profile: Sendable, Equatable {
    /// The class it confines.
    public var taskClass: TaskClass
    /// Limits of one attempt.
    public var attemptLimits = PlanLimits()
    /// Limits of the class together.
    public var classLimits = PlanLimits()
    /// How many attempts may run at once.
    public var concurrency: UInt16 = 1
    /// Layers that may be missing.
    public var optionalLayers: Set<Layer> = []
    /// Capabilities on the host.
    public var capabilities: CapabilitySet = []
    /// What is read, written or executed of the host's file tree.
    public var hostPaths: [HostPath] = []
    /// The instance's own directories.
    public var directories: [DirectoryGrant] = []
    /// Device nodes below /dev.
    public var devices: [Device] = []
    /// Size of the private /tmp in bytes.
    public var temporaryBytes: UInt64 = 0
    /// The umask of attempts.
    public var fileMask: UInt16 = 0o077
    /// Whether a task starts threads only, or processes too.
    public var processes = ProcessGrant.threads
    /// Socket families that a task may create.
    public var socketFamilies: [SocketFamily] = []
    /// Whether memory may be writable and executable.
    public var writableExecutableMemory = false
    /// The system calls.
    public var syscalls = SyscallGrants()
    /// Where each listed call stands, as `include/a.yaml:12`.
    var places: [String: String] = [:]

    /// Whether a task may execute programs.
    public var mayExecute: Bool { hostPaths.contains { $0.access.contains(.execute) } }
}

/// One path of the host that appears at the same place in the class root.
public struct HostPath: Sendable, Equatable {
    /// Absolute, without `..`, normalised.
    public var path: String
    /// What tasks may do beneath it.
    public var access: LandlockRule.Access
    /// A missing path is passed over.
    public var ifPresent: Bool
    /// Where it stands, for messages.
    var line: Int
    var file: String
}

/// One of the instance's directories, granted to a class.
public struct DirectoryGrant: Sendable, Equatable {
    /// Which one.
    package var directory: InstanceDirectory
    /// Read, or read and write.
    public var access: LandlockRule.Access
}

/// Whether a task starts threads only, or processes too.
public enum ProcessGrant: String, Sendable, CaseIterable {
    case threads
    case children
}

/// A socket family that a profile can grant.
public enum SocketFamily: String, Sendable, CaseIterable {
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
public enum Device: String, Sendable, CaseIterable {
    case null, zero, full, random, urandom
}

/// The system calls of a profile, by what happens to them; all others are denied and reported.
public struct SyscallGrants: Sendable, Equatable {
    /// Run.
    public var allowed: Set<String> = []
    /// Answered with EPERM.
    public var refused: Set<String> = []
    /// Answered with ENOSYS, so that libc falls back.
    public var unavailable: Set<String> = []
    /// Requests, commands and options by rule: `ioctl`, `fcntl`, `prctl`.
    public var arguments: [NamedArgument: Set<UInt32>] = [:]
}
