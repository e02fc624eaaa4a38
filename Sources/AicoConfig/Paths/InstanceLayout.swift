// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import AicoCore

/// Where one instance keeps its parts, below its root; the root of an installed one is "".
package struct InstanceLayout: Sendable, Equatable {
    /// The root, absolute and without a slash at its end, or "".
    package let root: String

    /// Makes a layout; `/` and "" are the same root.
    package init(root: String) {
        var root = root
        while root.hasSuffix("/") { root.removeLast() }
        self.root = root
    }

    /// What overrides the defaults.
    package var configurationFile: String { "\(path(.configuration))/core.yaml" }
    /// What must outlive a restart.
    package var state: String { path(.state) }
    /// What must not.
    package var runtime: String { path(.runtime) }
    /// Log files.
    package var logs: String { path(.logs) }

    /// The database.
    package var database: String { "\(path(.store))/aico.db" }
    /// The master key and the bus's keys.
    package var keys: String { path(.keys) }
    /// Key files of the bus's clients.
    package var clientKeys: String { path(.clientKeys) }
    /// What executables and profiles looked like at start.
    package var integrityBaseline: String { "\(path(.integrity))/baseline.json" }
    /// The bus's requests.
    package var busSocket: String { "\(path(.bus))/bus.sock" }
    /// The bus's requests, for the tasks of class maintenance alone.
    package var healthSocket: String { "\(path(.bus))/health.sock" }
    /// The bus's events.
    package var eventsSocket: String { "\(path(.bus))/events.sock" }

    /// Where the scheduler sends a worker's orders.
    package func ordersSocket(of worker: WorkerID) -> String {
        "\(path(.pipes(of: worker)))/orders"
    }

    /// Where a worker's reports arrive.
    package func reportsSocket(of worker: WorkerID) -> String {
        "\(path(.pipes(of: worker)))/reports"
    }

    private func path(_ directory: InstanceDirectory) -> String { directory.path(under: root) }
}
