// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// The hybrid backend: one set of leaves for each slot, used again for attempt after attempt.
///
/// v1 memory peaks can be reset and the v2 leaf's CPU time is taken as a difference; only the
/// pids leaf is renewed, because its peak cannot be reset.
final class HybridCgroups: CgroupBackend {
    let kind = CgroupKind.hybrid
    let unified: CgroupDirectory
    /// The worker's directories of the v1 trees, in the order of `CgroupController.ofAttempts`.
    let trees: [CgroupDirectory]
    let attemptLimits: PlanLimits
    let removals = PendingRemovals()
    private var names = LeafNames()
    private var ready: [Int: HybridLeaf] = [:]
    private var dirty: [HybridLeaf] = []

    /// `groups` are the worker's directories of the v2 tree and of those.
    init?(groups: [CgroupDirectory], attemptLimits: PlanLimits) {
        guard groups.count == 1 + CgroupController.ofAttempts.count else { return nil }
        unified = groups[0]
        trees = Array(groups.dropFirst())
        self.attemptLimits = attemptLimits
    }

    func prepareLeaf(slot: Int) throws(CgroupError) -> any AttemptCgroup {
        restore(dirty.filter { $0.slot == slot })
        try prewarm(slot: slot)
        guard let leaf = ready.removeValue(forKey: slot) else {
            preconditionFailure("prewarm made a leaf or threw")
        }
        return HybridAttempt(leaf: leaf)
    }

    func prewarm(slot: Int) throws(CgroupError) {
        if ready[slot] == nil { ready[slot] = try HybridLeaf(owner: self, slot: slot) }
    }

    func sweep() -> Bool {
        restore(dirty)
        return removals.sweep()
    }

    /// A fresh leaf name.
    func nextName(slot: Int) -> String { names.next(slot: slot) }

    /// Takes a used leaf back; it is made ready again by `sweep` or the next `prepareLeaf`.
    func retire(_ leaf: HybridLeaf) { dirty.append(leaf) }

    private func restore(_ leaves: [HybridLeaf]) {
        for leaf in leaves {
            dirty.removeAll { $0 === leaf }
            do {
                try leaf.renew()
                ready[leaf.slot] = leaf
            } catch {
                // Killed, still busy, or refused: a new one takes its place, at the latest at the
                // next attempt, which says why it cannot be made.
                leaf.remove()
                try? prewarm(slot: leaf.slot)
            }
        }
    }
}
