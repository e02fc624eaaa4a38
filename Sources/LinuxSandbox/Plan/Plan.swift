// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import CLinux

/// A profile compiled to plain values: all that the supervisor and a fork server need to confine.
///
/// `PlanCodec` gives it a fixed binary form; the privileged side parses no text.
package struct Plan: Sendable, Equatable {
    /// `TaskClass.rawValue` of the class it confines.
    package var classIndex: UInt8 = 0
    /// The class's uid; never 0.
    package var userID: UInt32 = 0
    /// The class's gid; never 0.
    package var groupID: UInt32 = 0
    /// Supplementary groups of worker and tasks, at most 8; never 0.
    package var supplementaryGroups: [UInt32] = []
    /// Whether worker and tasks live in a user namespace of their own.
    package var hasUserNamespace = false
    /// Capability bits (1 << CAP_X) that worker start and fork server keep on the host. Zero for
    /// classes with a user namespace.
    package var hostCapabilities: UInt64 = 0
    /// The class root's mounts, in order; at most 64.
    package var mounts: [PlanMount] = []
    /// What tasks may reach by Landlock, as paths of the class root; at most 64.
    package var landlockRules: [LandlockRule] = []
    /// Limits of one attempt.
    package var attemptLimits = PlanLimits()
    /// Limits of the whole class: worker, fork server and all attempts together.
    package var classLimits = PlanLimits()
    /// The filter of worker and fork server, installed by the supervisor before exec.
    package var workerFilter: [FilterInstruction] = []
    /// The filter of a task process, installed last. Its denials go to the user notifier.
    package var taskFilter: [FilterInstruction] = []
    /// Layers that the profile marks `optional: true`.
    package var optionalLayers: Set<Layer> = []
    /// How many attempts may run at once; 1 to 64.
    package var concurrency: UInt16 = 4
    /// The permission bits that new files of an attempt do without: its umask(2).
    package var fileMask: UInt16 = 0o077

    package init() {}
}

extension Plan {
    /// The number of the innermost mount that shows a path of the class root, among those of some
    /// kinds.
    package func innermostMount(
        over path: String, of isMeant: (PlanMount.Kind) -> Bool = { _ in true }
    ) -> Int? {
        mounts.indices.filter {
            isMeant(mounts[$0].kind) && isBeneath(path, mounts[$0].target)
        }.max { mounts[$0].target.utf8.count < mounts[$1].target.utf8.count }
    }
}

/// Whether `path` is `ancestor` or lies beneath it; both are absolute and without `.` and `..`.
package func isBeneath(_ path: String, _ ancestor: String) -> Bool {
    path == ancestor || ancestor == "/" || path.hasPrefix(ancestor + "/")
}

/// One confinement mechanism; in the order in which an attempt applies them, which layers.h lists.
package typealias Layer = aico_layer

extension aico_layer: @retroactive CaseIterable {
    /// All of the list.
    package static var allCases: [aico_layer] {
        (0..<UInt8(AICO_LAYER_COUNT)).compactMap(aico_layer.init(rawValue:))
    }

    /// Without these nothing else of a sandbox holds: no profile can do without.
    package static let required: Set<Layer> = [
        .identity, .capabilities, .noNewPrivileges, .descriptors, .seccomp,
    ]

    /// What holds of every worker that runs: a launch is all of it or none. Landlock is added for
    /// each attempt; a worker connects to its sockets by paths.
    package static let ofLaunch = allCases.filter { $0 != .landlock }

    /// The name used in profiles, records and messages.
    package var name: String { String(cString: aico_layer_name(self)) }
}

/// One entry of the class root.
package struct PlanMount: Sendable, Equatable {
    /// What is put at the target.
    package enum Kind: UInt8, Sendable, CaseIterable {
        /// Recursive bind of `source`, read-only, nosuid, nodev.
        case bindReadOnly = 1
        /// Bind of `source`, writable, nosuid, nodev, noexec.
        case bindWritable = 2
        /// Bind of a device node, as /dev/null.
        case device = 3
        /// A symbolic link at `target` that says `source`.
        case symlink = 4
        /// An empty directory at `target`.
        case directory = 5
        /// A tmpfs, private to the class (to the attempt where the class has a user namespace).
        case temporary = 6
        /// procfs of the class's pid namespace (the attempt's where it has its own).
        case proc = 7
    }

    /// What is put at the target.
    package var kind: Kind
    /// An absolute host path (link text for symlink; empty for directory, temporary, proc).
    package var source: String
    /// An absolute path in the class root, without `..`.
    package var target: String
    /// A missing source is passed over instead of failing the launch.
    package var ifExists: Bool
    /// Not there at the launch of the class's worker: the first look for an attempt shows it. For
    /// what a worker does not need, so that its lack or its silence does not hold up a launch.
    package var isLate: Bool
    /// Size of a temporary, in bytes; 0 elsewhere.
    package var sizeBytes: UInt64

    package init(
        kind: Kind, source: String, target: String, ifExists: Bool = false, isLate: Bool = false,
        sizeBytes: UInt64 = 0
    ) {
        self.kind = kind
        self.source = source
        self.target = target
        self.ifExists = ifExists
        self.isLate = isLate
        self.sizeBytes = sizeBytes
    }
}

/// One Landlock path rule.
package struct LandlockRule: Sendable, Equatable {
    /// What is permitted beneath a path.
    package struct Access: OptionSet, Sendable, Hashable {
        /// The bits of the encoded form.
        package let rawValue: UInt8
        /// Wraps bits.
        package init(rawValue: UInt8) { self.rawValue = rawValue }
        /// Read files and list directories.
        package static let read = Access(rawValue: 1)
        /// Write, truncate, create and remove files and directories.
        package static let write = Access(rawValue: 2)
        /// Execute files.
        package static let execute = Access(rawValue: 4)
        /// List directories, and nothing of what is in their files.
        package static let list = Access(rawValue: 8)
    }

    /// An absolute path of the class root (of the attempt's view for /tmp and /proc).
    package var path: String
    /// What is permitted beneath it.
    package var access: Access
    /// A missing path is passed over instead of refusing the layer.
    package var ifExists: Bool

    package init(path: String, access: Access, ifExists: Bool = false) {
        self.path = path
        self.access = access
        self.ifExists = ifExists
    }
}

/// Resource limits; 0 means no limit of this kind.
package struct PlanLimits: Sendable, Equatable {
    /// cgroup memory, bytes.
    package var memoryBytes: UInt64 = 0
    /// cgroup pids.
    package var processes: UInt64 = 0
    /// CPU bandwidth in percent of one CPU.
    package var cpuPercent: UInt64 = 0
    /// Of a class: its share of a disk that others want too, whose weight is 100.
    package var ioWeight: UInt64 = 0
    /// Longest wall time of an attempt, seconds; the worker clamps orders to it.
    package var wallSeconds: UInt32 = 0
    /// RLIMIT_NOFILE.
    package var openFiles: UInt32 = 0
    /// RLIMIT_FSIZE, bytes.
    package var fileSizeBytes: UInt64 = 0

    /// Makes limits that limit nothing.
    package init() {}
}

/// One classic BPF instruction, as struct sock_filter.
package struct FilterInstruction: Sendable, Equatable, BitwiseCopyable {
    /// The operation; `code` in C.
    package var code: UInt16
    /// How many instructions to skip if the comparison holds; `jt` in C.
    package var jumpTrue: UInt8
    /// How many to skip if it does not; `jf` in C.
    package var jumpFalse: UInt8
    /// The operand; `k` in C.
    package var constant: UInt32

    package init(code: UInt16, jumpTrue: UInt8, jumpFalse: UInt8, constant: UInt32) {
        self.code = code
        self.jumpTrue = jumpTrue
        self.jumpFalse = jumpFalse
        self.constant = constant
    }
}
