// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// The scheduler's own log file; section `logging`.
package struct LoggingSettings: Sendable, Equatable {
    /// The least severe level that is written.
    package enum Level: String, Sendable, CaseIterable {
        case debug
        case info
        case notice
        case warning
        case error
    }

    /// The least severe level that is written.
    package var level: Level
    /// Size at which a file is rotated.
    package var maximumFileBytes: Int
    /// Rotated files that are kept.
    package var keptFiles: Int
}

/// A further place where a socket of the bus is bound.
package struct BusEndpoint: Sendable, Equatable {
    /// A ZeroMQ endpoint, as `tcp://127.0.0.1:7801`.
    package var text: String
}

/// Who may connect to the bus's sockets of this machine; a key is needed in any case.
package enum SocketUsers: String, Sendable, CaseIterable {
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
package struct BusSettings: Sendable, Equatable {
    /// Who may connect to `bus.sock` and `events.sock`.
    package var socketUsers: SocketUsers
    /// Where requests arrive, besides `bus.sock`; nil for there alone.
    package var requests: BusEndpoint?
    /// Where events leave, besides `events.sock`; nil for there alone.
    package var events: BusEndpoint?
    /// Longer messages are refused.
    package var maximumMessageBytes: Int
    /// Messages that wait for one client at most.
    package var highWaterMark: Int
    /// What clients can make the bus hold.
    package var bounds: BusBounds
}

/// What one client of the bus, and all together, can make it hold; section `bus`.
package struct BusBounds: Sendable, Equatable {
    /// Connections of all clients to one socket.
    package var connections: Int
    /// Connections with one key to one socket.
    package var connectionsPerClient: Int
    /// Requests of one connection that are not answered.
    package var outstanding: Int
    /// Their bytes.
    package var outstandingBytes: Int
    /// Bytes of replies that one connection has not read.
    package var replyBytes: Int
    /// Bytes of replies that all connections have not read.
    package var totalReplyBytes: Int
    /// Bytes that all connections have sent of messages that are not complete.
    package var totalRequestBytes: Int
    /// Refusals that one connection has not read.
    package var refusals: Int
    /// Bytes of events that a subscriber may leave unread.
    package var eventBytes: Int
}

/// When the system counts as unwell; section `health`.
package struct HealthSettings: Sendable, Equatable {
    /// Failed of ended executions, in percent, from which it is degraded.
    package var degradedFailurePercent: Double
    /// Failed of ended executions, in percent, from which it is critical.
    package var criticalFailurePercent: Double
    /// Below this many ended executions a failure rate says nothing.
    package var leastExecutions: Int
    /// A worker that takes no orders for this long is critical.
    package var workerMissing: Duration
    /// A start later than this degrades.
    package var maximumLateness: Duration
}
