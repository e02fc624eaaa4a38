// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

public import AicoCore

/// Where one instance keeps its parts, below its root; the root of an installed one is "".
public struct InstanceLayout: Sendable, Equatable {
    /// The root, absolute and without a slash at its end, or "".
    public let root: String

    /// Makes a layout; `/` and "" are the same root.
    public init(root: String) {
        var root = root
        while root.hasSuffix("/") { root.removeLast() }
        self.root = root
    }

    /// What overrides the defaults.
    public var configurationFile: String { "\(root)/etc/aico/core.yaml" }
    /// What must outlive a restart.
    public var state: String { "\(root)/var/lib/aico" }
    /// What must not.
    public var runtime: String { "\(root)/run/aico" }
    /// Log files.
    public var logs: String { "\(root)/var/log/aico" }

    /// The database.
    public var database: String { "\(state)/store/aico.db" }
    /// The master key and the bus's keys.
    public var keys: String { "\(state)/keys" }
    /// Key files of the bus's clients.
    public var clientKeys: String { "\(keys)/clients" }
    /// What executables and profiles looked like at start.
    public var integrityBaseline: String { "\(state)/integrity/baseline.json" }
    /// The bus's requests.
    public var busSocket: String { "\(runtime)/bus/bus.sock" }
    /// The bus's requests, for the tasks of class maintenance alone.
    public var healthSocket: String { "\(runtime)/bus/health.sock" }
    /// The bus's events.
    public var eventsSocket: String { "\(runtime)/bus/events.sock" }

    /// Where the scheduler sends a worker's orders.
    public func ordersSocket(of worker: WorkerID) -> String {
        "\(runtime)/worker/\(worker.number)/orders"
    }

    /// Where a worker's reports arrive.
    public func reportsSocket(of worker: WorkerID) -> String {
        "\(runtime)/worker/\(worker.number)/reports"
    }
}
