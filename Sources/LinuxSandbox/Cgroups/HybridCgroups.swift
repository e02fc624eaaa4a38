// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// The hybrid backend: one set of leaves for each slot, used again for attempt after attempt.
///
/// v1 memory peaks can be reset and the v2 leaf's CPU time is taken as a difference; only the
/// pids leaf is renewed, because its peak cannot be reset.
final class HybridCgroups: CgroupBackend {
    let kind = CgroupKind.hybrid
    let unified: CgroupDirectory
    let memory: CgroupDirectory
    let processes: CgroupDirectory
    let processor: CgroupDirectory
    let attemptLimits: PlanLimits
    /// The class's cpu limit, which a child's may not pass.
    let processorCeiling: UInt32
    let graveyard = LeafGraveyard()
    private var names = LeafNames()
    private var ready: [Int: HybridLeaf] = [:]
    private var worn: [HybridLeaf] = []

    /// `groups` are the worker's directories of the trees v2, memory, pids and cpu.
    init?(groups: [CgroupDirectory], attemptLimits: PlanLimits, processorCeiling: UInt32) {
        guard groups.count == 4 else { return nil }
        unified = groups[0]
        memory = groups[1]
        processes = groups[2]
        processor = groups[3]
        self.attemptLimits = attemptLimits
        self.processorCeiling = processorCeiling
    }

    func prepareLeaf(slot: Int) throws(CgroupError) -> any AttemptCgroup {
        restore(worn.filter { $0.slot == slot })
        try warm(slot: slot)
        guard let leaf = ready.removeValue(forKey: slot) else {
            preconditionFailure("warm made a leaf or threw")
        }
        return HybridAttempt(leaf: leaf)
    }

    func warm(slot: Int) throws(CgroupError) {
        if ready[slot] == nil { ready[slot] = try HybridLeaf(owner: self, slot: slot) }
    }

    func sweep() -> Bool {
        restore(worn)
        return graveyard.sweep()
    }

    /// A fresh leaf name.
    func nextName(slot: Int) -> String { names.next(slot: slot) }

    /// Takes a used leaf back; it is made ready again by `sweep` or the next `prepareLeaf`.
    func retire(_ leaf: HybridLeaf) { worn.append(leaf) }

    private func restore(_ leaves: [HybridLeaf]) {
        for leaf in leaves {
            worn.removeAll { $0 === leaf }
            do {
                try leaf.renew()
                ready[leaf.slot] = leaf
            } catch {
                // Killed, still busy, or refused: a new one takes its place, at the latest at the
                // next attempt, which says why it cannot be made.
                leaf.bury()
                try? warm(slot: leaf.slot)
            }
        }
    }
}
