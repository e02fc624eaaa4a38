// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// The v2 backend: a fresh leaf for each attempt, made ahead of it where there was time.
///
/// Reuse would save nothing here: v2 keeps no resettable pids peak, and CLONE_INTO_CGROUP makes
/// the entry cheap.
final class UnifiedCgroups: CgroupBackend {
    let kind = CgroupKind.unified
    private let group: CgroupDirectory
    private let limits: PlanLimits
    private var names = LeafNames()
    private var ready: [Int: UnifiedLeaf] = [:]
    private var unprepared: Set<Int> = []
    private let removals = PendingRemovals()

    init(group: CgroupDirectory, limits: PlanLimits) {
        self.group = group
        self.limits = limits
    }

    func prepareLeaf(slot: Int) throws(CgroupError) -> any AttemptCgroup {
        unprepared.remove(slot)
        if let leaf = ready.removeValue(forKey: slot) { return leaf }
        return try makeLeaf(slot: slot)
    }

    func prewarm(slot: Int) throws(CgroupError) {
        unprepared.remove(slot)
        if ready[slot] == nil { ready[slot] = try makeLeaf(slot: slot) }
    }

    func sweep() -> Bool {
        // A leaf that cannot be made now is made, or refused with its error, by prepareLeaf.
        for slot in unprepared { try? prewarm(slot: slot) }
        unprepared.removeAll()
        return removals.sweep()
    }

    /// Takes a finished leaf back.
    fileprivate func retire(_ leaf: UnifiedLeaf) {
        removals.remove(leaf.name, in: group)
        unprepared.insert(leaf.slot)
    }

    private func makeLeaf(slot: Int) throws(CgroupError) -> UnifiedLeaf {
        let name = names.next(slot: slot)
        let directory = try group.makeChild(name)
        do {
            for controller in CgroupController.ofAttempts {
                try controller.apply(limits, to: directory, on: .unified, isLeaf: true)
            }
        } catch {
            removals.remove(name, in: group)
            throw error
        }
        return UnifiedLeaf(owner: self, slot: slot, name: name, directory: directory)
    }
}

/// One attempt's v2 cgroup, used once.
private final class UnifiedLeaf: AttemptCgroup {
    let slot: Int
    let name: String
    let entry: CgroupEntry
    let outOfMemoryEvent: Int32? = nil
    private let directory: CgroupDirectory
    private unowned let owner: UnifiedCgroups
    private var isReleased = false

    init(owner: UnifiedCgroups, slot: Int, name: String, directory: CgroupDirectory) {
        self.owner = owner
        self.slot = slot
        self.name = name
        self.directory = directory
        entry = CgroupEntry(cloneDescriptor: directory.descriptor, joinDescriptors: [])
    }

    func kill() throws(CgroupError) { try directory.write("1", to: "cgroup.kill") }

    func isEmpty() throws(CgroupError) -> Bool {
        try directory.read("cgroup.events").value(of: "populated") == 0
    }

    func memoryKills() throws(CgroupError) -> UInt64 {
        let events = try directory.readIfPresent("memory.events")
        let kills = events?.value(of: "oom_kill") ?? 0
        // The kernel counts (and logs) the one that it chose a second time when it ends the group,
        // unless that one is gone by then.
        let counts = events?.value(of: "oom_group_kill") ?? 0
        return kills > counts ? kills - counts : min(kills, 1)
    }

    func usage() throws(CgroupError) -> CgroupUsage {
        var usage = CgroupUsage()
        usage.peakMemoryBytes = try directory.readIfPresent("memory.peak")?.number
        usage.peakProcesses = try directory.readIfPresent("pids.peak")?.number
        let processor = try directory.read("cpu.stat")
        usage.userMicroseconds = processor.value(of: "user_usec") ?? 0
        usage.systemMicroseconds = processor.value(of: "system_usec") ?? 0
        usage.outOfMemoryKills = try memoryKills()
        let processes = try directory.readIfPresent("pids.events")
        usage.processLimitHits = processes?.value(of: "max") ?? 0
        return usage
    }

    func release() {
        guard !isReleased else { return }
        isReleased = true
        if (try? isEmpty()) != true { try? kill() }
        owner.retire(self)
    }
}
