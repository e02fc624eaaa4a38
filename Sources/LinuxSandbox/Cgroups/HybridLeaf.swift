// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Glibc

/// A slot's cgroups in the trees of a hybrid host.
final class HybridLeaf {
    let slot: Int
    private(set) var entry: CgroupEntry
    /// So little is left in the leaf: emptying it takes the kernel longer than the whole attempt.
    private static let neglected: UInt64 = 1 << 20
    /// Page cache up to this is given back within a few ms; the kernel takes about 0.4 ms a MiB.
    private static let quicklyEmptied: UInt64 = 4 << 20
    /// Counts the times that memory ran out; see memcg_test and cgroup-v1/memory.rst, section 9.
    let outOfMemoryEvent: Int32
    /// Kept open for `memoryKills` and `kill`.
    private let memoryControl: Int32
    private let killSwitch: Int32
    private let name: String
    private var processesName: String
    private unowned let owner: HybridCgroups
    private let unified: CgroupDirectory
    /// Of the v1 trees, in the order of `CgroupController.ofAttempts`.
    private var leaves: [CgroupDirectory]
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
        var joins: [Int32] = []
        var event: Int32 = -1
        var control: Int32 = -1
        var killer: Int32 = -1
        do {
            unified = try owner.unified.makeChild(name)
            for (controller, tree) in zip(CgroupController.ofAttempts, owner.trees) {
                let leaf = try tree.makeChild(name)
                leaves.append(leaf)
                try controller.apply(owner.attemptLimits, to: leaf, on: .hybrid)
            }
            for leaf in leaves { joins.append(try leaf.openFile("tasks", flags: O_WRONLY)) }
            killer = try unified.openFile("cgroup.kill", flags: O_WRONLY)
            let memory = leaves[Self.memory]
            control = try memory.openFile("memory.oom_control", flags: O_RDONLY)
            // A first read: it has the kernel make the buffer of this open file.
            _ = try memory.read("memory.oom_control", from: control)
            event = try Self.watchMemory(memory, control: control)
        } catch {
            for file in joins + [control, killer] where file >= 0 { close(file) }
            for tree in [owner.unified] + owner.trees {
                owner.graveyard.bury(name, in: tree)
            }
            throw error
        }
        self.leaves = leaves
        outOfMemoryEvent = event
        memoryControl = control
        killSwitch = killer
        entry = CgroupEntry(cloneDescriptor: unified.descriptor, joinDescriptors: joins)
    }

    deinit {
        for file in entry.joinDescriptors + [outOfMemoryEvent, memoryControl, killSwitch] {
            close(file)
        }
    }

    func kill() throws(CgroupError) {
        wasKilled = true
        try unified.write("1", to: "cgroup.kill", by: killSwitch)
    }

    func isEmpty() throws(CgroupError) -> Bool {
        try unified.read("cgroup.events").value(of: "populated") == 0
    }

    func memoryKills() throws(CgroupError) -> UInt64 {
        try countedMemoryKills() &- base.outOfMemoryKills
    }

    func usage() throws(CgroupError) -> CgroupUsage {
        var usage = CgroupUsage()
        usage.peakMemoryBytes = try memory.read("memory.max_usage_in_bytes").number
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
        let left = try memory.read("memory.usage_in_bytes").number ?? 0
        guard !wasKilled, left <= Self.quicklyEmptied, try isEmpty() else {
            throw CgroupError(operation: "reuse", subject: unified.label, errno: EBUSY)
        }
        try renewProcesses()
        if left > Self.neglected { try? memory.write("0", to: "memory.force_empty") }
        try memory.write("0", to: "memory.max_usage_in_bytes")
        var drained: UInt64 = 0
        while Glibc.read(outOfMemoryEvent, &drained, 8) == 8 {}
        base = try counters()
    }

    /// Removes the leaf from all trees, now or later.
    func bury() {
        try? kill()
        owner.graveyard.bury(name, in: owner.unified)
        for (index, tree) in owner.trees.enumerated() {
            owner.graveyard.bury(index == Self.processes ? processesName : name, in: tree)
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
        let join: Int32
        do {
            try CgroupController.processes.apply(owner.attemptLimits, to: fresh, on: .hybrid)
            join = try fresh.openFile("tasks", flags: O_WRONLY)
        } catch {
            owner.graveyard.bury(name, in: tree)
            throw error
        }
        close(entry.joinDescriptors[Self.processes])
        entry.joinDescriptors[Self.processes] = join
        owner.graveyard.bury(processesName, in: tree)
        leaves[Self.processes] = fresh
        processesName = name
    }

    private func counters() throws(CgroupError) -> Counters {
        let processor = try unified.read("cpu.stat")
        return Counters(
            user: processor.value(of: "user_usec") ?? 0,
            system: processor.value(of: "system_usec") ?? 0,
            outOfMemoryKills: try countedMemoryKills())
    }

    private func countedMemoryKills() throws(CgroupError) -> UInt64 {
        try memory.read("memory.oom_control", from: memoryControl).value(of: "oom_kill") ?? 0
    }

    /// Registers an eventfd for "memory ran out".
    private static func watchMemory(
        _ group: CgroupDirectory, control: Int32
    ) throws(CgroupError) -> Int32 {
        let event = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard event >= 0 else {
            let code = errno
            throw CgroupError(operation: "watch", subject: group.label, errno: code)
        }
        do {
            try group.write("\(event) \(control)", to: "cgroup.event_control")
        } catch {
            close(event)
            throw error
        }
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
