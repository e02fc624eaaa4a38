// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// A slot's cgroups in the trees of a hybrid host.
final class HybridLeaf {
    let slot: Int
    /// So little is left in the leaf: emptying it takes the kernel longer than the whole attempt.
    private static let neglected: UInt64 = 1 << 20
    /// Page cache up to this is given back within a few ms; the kernel takes about 0.4 ms a MiB.
    private static let quicklyEmptied: UInt64 = 4 << 20
    /// Counts the times that memory ran out; see memcg_test and cgroup-v1/memory.rst, section 9.
    private let memoryEvent: EventCounter
    /// Kept open for `memoryKills` and `kill`.
    private let memoryControl: ControlFile
    private let killSwitch: ControlFile
    /// Kept open, since each is read several times for each attempt.
    private let events: ControlFile
    private let processorTime: ControlFile
    private let memoryUsage: ControlFile
    private let memoryPeak: ControlFile
    private let name: String
    private var processesName: String
    private unowned let owner: HybridCgroups
    private let unified: CgroupDirectory
    /// Of the v1 trees, in the order of `CgroupController.ofAttempts`.
    private var leaves: [CgroupDirectory]
    private var joins: [ControlFile]
    private static let memory = CgroupController.position(of: .memory)
    private static let processes = CgroupController.position(of: .processes)
    private var memory: CgroupDirectory { leaves[Self.memory] }
    private var processes: CgroupDirectory { leaves[Self.processes] }
    /// Counters that cannot be reset, as they stood when the attempt began.
    private var base = Counters()

    /// A cgroup that was killed once cannot be entered by CLONE_INTO_CGROUP again on newer kernels
    /// (seen on 6.18): they compare its count of kills with that of the cloning process's own
    /// cgroup, and kill the child where they differ.
    private var wasKilled = false

    private struct Counters {
        var user: UInt64 = 0
        var system: UInt64 = 0
        var outOfMemoryKills: UInt64 = 0
    }

    init(owner: HybridCgroups, slot: Int) throws(CgroupError) {
        let name = owner.nextName(slot: slot)
        self.owner = owner
        self.slot = slot
        self.name = name
        processesName = name
        var leaves: [CgroupDirectory] = []
        var joins: [ControlFile] = []
        do {
            unified = try owner.unified.makeChild(name)
            for (controller, tree) in zip(CgroupController.ofAttempts, owner.trees) {
                let leaf = try tree.makeChild(name)
                leaves.append(leaf)
                try controller.apply(owner.attemptLimits, to: leaf, on: .hybrid)
            }
            for leaf in leaves { joins.append(try leaf.open("tasks", for: .writing)) }
            killSwitch = try unified.open("cgroup.kill", for: .writing)
            events = try unified.open("cgroup.events", for: .reading)
            processorTime = try unified.open("cpu.stat", for: .reading)
            let memory = leaves[Self.memory]
            memoryUsage = try memory.open("memory.usage_in_bytes", for: .reading)
            memoryPeak = try memory.open("memory.max_usage_in_bytes", for: .reading)
            memoryControl = try memory.open("memory.oom_control", for: .reading)
            // A first read: it has the kernel make the buffer of this open file.
            _ = try memoryControl.read()
            memoryEvent = try Self.watchMemory(memory, control: memoryControl)
        } catch {
            for tree in [owner.unified] + owner.trees {
                owner.removals.remove(name, in: tree)
            }
            throw error
        }
        self.leaves = leaves
        self.joins = joins
    }

    var outOfMemoryEvent: Int32 { memoryEvent.number }

    var entry: CgroupEntry {
        CgroupEntry(cloneDescriptor: unified.descriptor, joinDescriptors: joins.map(\.number))
    }

    func kill() throws(CgroupError) {
        wasKilled = true
        try killSwitch.write("1")
    }

    func isEmpty() throws(CgroupError) -> Bool {
        try events.read().value(of: "populated") == 0
    }

    func memoryKills() throws(CgroupError) -> UInt64 {
        try countedMemoryKills() &- base.outOfMemoryKills
    }

    func usage() throws(CgroupError) -> CgroupUsage {
        var usage = CgroupUsage()
        usage.peakMemoryBytes = try memoryPeak.read().number
        usage.peakProcesses = try processes.readIfPresent("pids.peak")?.number
        let now = try counters()
        usage.userMicroseconds = now.user &- base.user
        usage.systemMicroseconds = now.system &- base.system
        usage.outOfMemoryKills = now.outOfMemoryKills &- base.outOfMemoryKills
        let events = try processes.readIfPresent("pids.events")
        usage.processLimitHits = events?.value(of: "max") ?? 0
        return usage
    }

    /// Brings the counters to zero and renews the pids leaf.
    /// - Throws: EBUSY while a process is left, or where the leaf cannot be entered again or would
    ///   take long to empty.
    func renew() throws(CgroupError) {
        // Page cache of the last attempt would count into the peak of the next. Much of it is left
        // to a cgroup that is removed: emptying holds up all that the fork server's thread does.
        let left = try memoryUsage.read().number ?? 0
        guard !wasKilled, left <= Self.quicklyEmptied, try isEmpty() else {
            throw CgroupError(operation: "reuse", subject: unified.label, errno: EBUSY)
        }
        try renewProcesses()
        if left > Self.neglected { try? memory.write("0", to: "memory.force_empty") }
        try memory.write("0", to: "memory.max_usage_in_bytes")
        _ = try? memoryEvent.take()
        base = try counters()
    }

    /// Removes the leaf from all trees, now or later.
    func remove() {
        try? kill()
        owner.removals.remove(name, in: owner.unified)
        for (index, tree) in owner.trees.enumerated() {
            owner.removals.remove(index == Self.processes ? processesName : name, in: tree)
        }
    }

    func retire() {
        if (try? isEmpty()) != true { try? kill() }
        owner.retire(self)
    }

    private func renewProcesses() throws(CgroupError) {
        let name = owner.nextName(slot: slot)
        let tree = owner.trees[Self.processes]
        let fresh = try tree.makeChild(name)
        let join: ControlFile
        do {
            try CgroupController.processes.apply(owner.attemptLimits, to: fresh, on: .hybrid)
            join = try fresh.open("tasks", for: .writing)
        } catch {
            owner.removals.remove(name, in: tree)
            throw error
        }
        joins[Self.processes] = join
        owner.removals.remove(processesName, in: tree)
        leaves[Self.processes] = fresh
        processesName = name
    }

    private func counters() throws(CgroupError) -> Counters {
        let processor = try processorTime.read()
        return Counters(
            user: processor.value(of: "user_usec") ?? 0,
            system: processor.value(of: "system_usec") ?? 0,
            outOfMemoryKills: try countedMemoryKills())
    }

    private func countedMemoryKills() throws(CgroupError) -> UInt64 {
        try memoryControl.read().value(of: "oom_kill") ?? 0
    }

    /// Registers an eventfd for "memory ran out".
    private static func watchMemory(
        _ group: CgroupDirectory, control: ControlFile
    ) throws(CgroupError) -> EventCounter {
        let event = try CgroupError.telling("watch", group.label) { () throws(Errno) in
            try EventCounter()
        }
        try group.write("\(event.number) \(control.number)", to: "cgroup.event_control")
        return event
    }
}

/// One attempt's use of a slot's leaf.
final class HybridAttempt: AttemptCgroup {
    private let leaf: HybridLeaf
    private var isReleased = false

    init(leaf: HybridLeaf) { self.leaf = leaf }

    var entry: CgroupEntry { leaf.entry }
    var outOfMemoryEvent: Int32? { leaf.outOfMemoryEvent }
    func kill() throws(CgroupError) { try leaf.kill() }
    func isEmpty() throws(CgroupError) -> Bool { try leaf.isEmpty() }
    func memoryKills() throws(CgroupError) -> UInt64 { try leaf.memoryKills() }
    func usage() throws(CgroupError) -> CgroupUsage { try leaf.usage() }

    func release() {
        guard !isReleased else { return }
        isReleased = true
        leaf.retire()
    }
}
