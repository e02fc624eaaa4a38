// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// The scheduler's own log file; section `logging`.
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

/// A further place where a socket of the bus is bound.
public struct BusEndpoint: Sendable, Equatable {
    /// A ZeroMQ endpoint, as `tcp://127.0.0.1:7801`.
    public var text: String
}

/// Who may connect to the bus's sockets of this machine; a key is needed in any case.
public enum SocketUsers: String, Sendable, CaseIterable {
    /// The scheduler's group on an installed system, everybody under `--root`.
    case auto
    /// Members of the scheduler's group, `aico` on an installed system.
    case group
    /// All users.
    case everybody
    /// Root.
    case root
}

/// The bus; section `bus`.
public struct BusSettings: Sendable, Equatable {
    /// Who may connect to `bus.sock` and `events.sock`.
    public var socketUsers: SocketUsers
    /// Where requests arrive, besides `bus.sock`; nil for there alone.
    public var requests: BusEndpoint?
    /// Where events leave, besides `events.sock`; nil for there alone.
    public var events: BusEndpoint?
    /// Longer messages are refused.
    public var maximumMessageBytes: Int
    /// Messages that wait for one client at most.
    public var highWaterMark: Int
    /// What clients can make the bus hold.
    public var bounds: BusBounds
}

/// What one client of the bus, and all together, can make it hold; section `bus`.
public struct BusBounds: Sendable, Equatable {
    /// Connections of all clients to one socket.
    public var connections: Int
    /// Connections with one key to one socket.
    public var connectionsPerClient: Int
    /// Requests of one connection that are not answered.
    public var outstanding: Int
    /// Their bytes.
    public var outstandingBytes: Int
    /// Bytes of replies that one connection has not read.
    public var replyBytes: Int
    /// Bytes of replies that all connections have not read.
    public var totalReplyBytes: Int
    /// Bytes that all connections have sent of messages that are not complete.
    public var totalRequestBytes: Int
    /// Refusals that one connection has not read.
    public var refusals: Int
    /// Bytes of events that a subscriber may leave unread.
    public var eventBytes: Int
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
