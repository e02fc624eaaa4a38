// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// How long what has ended is kept; section `retention`.
public struct RetentionSettings: Sendable, Equatable {
    /// Age at which an ended execution is forgotten.
    public var history: Duration
    /// Executions of one task that are kept at most.
    public var maximumExecutionsPerTask: Int
    /// Age at which a dead letter is forgotten.
    public var deadLetters: Duration
    /// Age at which an audit line is forgotten.
    public var audit: Duration
}

/// The supervisor's and scheduler's own log files; section `logging`.
public struct LoggingSettings: Sendable, Equatable {
    /// The least severe level that is written.
    public enum Level: String, Sendable, CaseIterable {
        case debug
        case info
        case notice
        case warning
        case error
    }

    /// The least severe level that is written.
    public var level: Level
    /// Size at which a file is rotated.
    public var maximumFileBytes: Int
    /// Rotated files that are kept.
    public var keptFiles: Int
}

/// Where one socket of the bus is bound.
public enum BusEndpoint: Sendable, Equatable {
    /// A unix socket below the runtime directory.
    case runtime
    /// A ZeroMQ endpoint, as `tcp://127.0.0.1:7801`.
    case tcp(String)

    /// What ZeroMQ binds or connects; `socket` is the path of the unix socket.
    public func text(socket: String) -> String {
        switch self {
        case .runtime: "ipc://\(socket)"
        case .tcp(let endpoint): endpoint
        }
    }
}

/// The bus; section `bus`.
public struct BusSettings: Sendable, Equatable {
    /// Where requests arrive.
    public var requests: BusEndpoint
    /// Where events leave.
    public var events: BusEndpoint
    /// Longer messages are refused.
    public var maximumMessageBytes: Int
    /// Further clients are not accepted.
    public var maximumConnections: Int
    /// Messages that wait for one client at most.
    public var highWaterMark: Int
}

/// When the system counts as unwell; section `health`.
public struct HealthSettings: Sendable, Equatable {
    /// Failed of ended executions, in percent, from which it is degraded.
    public var degradedFailurePercent: Double
    /// Failed of ended executions, in percent, from which it is critical.
    public var criticalFailurePercent: Double
    /// Below this many ended executions a failure rate says nothing.
    public var leastExecutions: Int
    /// A worker that takes no orders for this long is critical.
    public var workerMissing: Duration
    /// A start later than this degrades.
    public var maximumLateness: Duration
}
