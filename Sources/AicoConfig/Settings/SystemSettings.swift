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

/// The bus; section `bus`.
public struct BusSettings: Sendable, Equatable {
    /// Where requests arrive, besides `bus.sock`; nil for there alone.
    public var requests: BusEndpoint?
    /// Where events leave, besides `events.sock`; nil for there alone.
    public var events: BusEndpoint?
    /// Longer messages are refused.
    public var maximumMessageBytes: Int
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
