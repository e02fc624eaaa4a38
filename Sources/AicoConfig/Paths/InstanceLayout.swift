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
    public var configurationFile: String { "\(path(.configuration))/core.yaml" }
    /// What must outlive a restart.
    public var state: String { path(.state) }
    /// What must not.
    public var runtime: String { path(.runtime) }
    /// Log files.
    public var logs: String { path(.logs) }

    /// The database.
    public var database: String { "\(path(.store))/aico.db" }
    /// The master key and the bus's keys.
    public var keys: String { path(.keys) }
    /// Key files of the bus's clients.
    public var clientKeys: String { path(.clientKeys) }
    /// What executables and profiles looked like at start.
    public var integrityBaseline: String { "\(path(.integrity))/baseline.json" }
    /// The bus's requests.
    public var busSocket: String { "\(path(.bus))/bus.sock" }
    /// The bus's requests, for the tasks of class maintenance alone.
    public var healthSocket: String { "\(path(.bus))/health.sock" }
    /// The bus's events.
    public var eventsSocket: String { "\(path(.bus))/events.sock" }

    /// Where the scheduler sends a worker's orders.
    public func ordersSocket(of worker: WorkerID) -> String {
        "\(path(.pipes(of: worker)))/orders"
    }

    /// Where a worker's reports arrive.
    public func reportsSocket(of worker: WorkerID) -> String {
        "\(path(.pipes(of: worker)))/reports"
    }

    private func path(_ directory: InstanceDirectory) -> String { directory.path(under: root) }
}
