// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Names of attempt leaves: `s<slot>.<generation>`, so that a busy old leaf never blocks a new one.
struct LeafNames {
    private var generation: UInt64 = 0

    /// The name of a class's cgroup that holds worker and fork server.
    static let worker = "worker"

    /// A name not given before by this fork server.
    mutating func next(slot: Int) -> String {
        generation += 1
        return "s\(slot).\(generation)"
    }
}

/// Cgroups that were busy when they were to be removed.
final class PendingRemovals {
    private var rest: [(parent: CgroupDirectory, name: String)] = []

    /// Removes a cgroup now or, where it is busy, at a later `sweep`.
    func remove(_ name: String, in parent: CgroupDirectory) {
        if !removed(name, in: parent) { rest.append((parent, name)) }
    }

    /// Tries all again; returns whether something is left.
    func sweep() -> Bool {
        rest.removeAll { removed($0.name, in: $0.parent) }
        return !rest.isEmpty
    }

    /// An error other than busy will not go away either: kept, so that the leak is seen.
    private func removed(_ name: String, in parent: CgroupDirectory) -> Bool {
        (try? parent.removeChild(name)) ?? false
    }
}
