// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

public import AicoCore
import LinuxSandbox

/// A directory of the instance that can appear below /aico in a class root.
public enum InstanceDirectory: String, Sendable, CaseIterable {
    /// The bus's sockets.
    case bus
    /// The database.
    case store
    /// The log files.
    case logs
    /// The data keys.
    case keys
    /// The profiles themselves.
    case profiles
    /// What executables and profiles looked like at start.
    case integrity
    /// Interactions recorded for learning.
    case memory
    /// What learning keeps.
    case learning
    /// The user's working directory.
    case work
    /// The executables.
    case executables = "bin"

    /// Where tasks see it.
    public var classPath: String { "/aico/\(rawValue)" }
}

/// Where one instance keeps its parts on the host.
public struct InstancePaths: Sendable, Equatable {
    /// `R/var/lib/aico`.
    public var state: String
    /// `R/run/aico`.
    public var runtime: String
    /// `R/var/log/aico`.
    public var logs: String
    /// The directory of the executables.
    public var executables: String
    /// The directory of the profiles.
    public var profiles: String

    /// Makes paths; all must be absolute.
    public init(
        state: String, runtime: String, logs: String, executables: String, profiles: String
    ) {
        self.state = state
        self.runtime = runtime
        self.logs = logs
        self.executables = executables
        self.profiles = profiles
    }

    /// Finds a directory's place on the host, as one class sees it.
    func host(_ directory: InstanceDirectory, for taskClass: TaskClass) -> String {
        switch directory {
        case .bus: "\(runtime)/bus"
        case .store: "\(state)/store"
        case .logs: logs
        case .keys: "\(state)/keys"
        case .profiles: profiles
        case .integrity: "\(state)/integrity"
        case .memory: "\(state)/memory"
        case .learning: "\(state)/learning"
        case .work: "\(state)/work"
        case .executables: executables
        }
    }

    /// Where a granted path of the host comes from: for the files in which a class finds itself,
    /// which the supervisor writes, from the runtime directory.
    func source(of path: String, for taskClass: TaskClass) -> String {
        ["/etc/passwd", "/etc/group", "/etc/hosts"].contains(path)
            ? "\(runtime)\(path.replacing("/etc/", with: "/etc/\(taskClass.name)/"))" : path
    }

    /// Whether a host path lies in, or contains, a part of the instance.
    func overlaps(_ path: String) -> Bool {
        [state, runtime, logs].contains { isBeneath(path, $0) || isBeneath($0, path) }
    }
}

/// The uid and gid of each class.
public struct ClassIdentities: Sendable, Equatable {
    /// One class's numbers.
    public struct Identity: Sendable, Equatable {
        /// The uid.
        public var userID: UInt32
        /// The gid.
        public var groupID: UInt32

        /// Makes an identity.
        public init(userID: UInt32, groupID: UInt32) {
            self.userID = userID
            self.groupID = groupID
        }
    }

    private var byClass: [TaskClass: Identity]

    /// Makes identities; every class must have one.
    public init(_ byClass: [TaskClass: Identity]) {
        self.byClass = byClass
    }

    /// The identity of a class.
    public subscript(_ taskClass: TaskClass) -> Identity? { byClass[taskClass] }

    /// Whether a uid belongs to a class.
    func contains(userID: UInt32) -> Bool {
        byClass.values.contains { $0.userID == userID }
    }
}
