// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Glibc

/// A slot's cgroups in the four trees of a hybrid host.
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
    private let memory: CgroupDirectory
    private var processes: CgroupDirectory
    private let processor: CgroupDirectory
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
        let limits = owner.attemptLimits
        var joins: [Int32] = []
        var event: Int32 = -1
        var control: Int32 = -1
        var killer: Int32 = -1
        do {
            unified = try owner.unified.makeChild(name)
            memory = try owner.memory.makeChild(name)
            processes = try owner.processes.makeChild(name)
            processor = try owner.processor.makeChild(name)
            try CgroupLimits.applyMemory(limits, to: memory)
            try CgroupLimits.applyProcesses(limits, to: processes)
            try CgroupLimits.applyProcessor(
                limits, ceiling: owner.processorCeiling, to: processor)
            for group in [memory, processes, processor] {
                joins.append(try group.openFile("tasks", flags: O_WRONLY))
            }
            killer = try unified.openFile("cgroup.kill", flags: O_WRONLY)
            control = try memory.openFile("memory.oom_control", flags: O_RDONLY)
            // A first read: it has the kernel make the buffer of this open file.
            _ = try memory.read("memory.oom_control", from: control)
            event = try Self.watchMemory(memory, control: control)
        } catch {
            for file in joins + [control, killer] where file >= 0 { close(file) }
            for tree in [owner.unified, owner.memory, owner.processes, owner.processor] {
                owner.graveyard.bury(name, in: tree)
            }
            throw error
        }
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
        owner.graveyard.bury(processesName, in: owner.processes)
        for tree in [owner.unified, owner.memory, owner.processor] {
            owner.graveyard.bury(name, in: tree)
        }
    }

    func retire() {
        if (try? isEmpty()) != true { try? kill() }
        owner.retire(self)
    }

    private func renewProcesses() throws(CgroupError) {
        let name = owner.nextName(slot: slot)
        let fresh = try owner.processes.makeChild(name)
        let join: Int32
        do {
            try CgroupLimits.applyProcesses(owner.attemptLimits, to: fresh)
            join = try fresh.openFile("tasks", flags: O_WRONLY)
        } catch {
            owner.graveyard.bury(name, in: owner.processes)
            throw error
        }
        close(entry.joinDescriptors[1])
        entry.joinDescriptors[1] = join
        owner.graveyard.bury(processesName, in: owner.processes)
        processes = fresh
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
