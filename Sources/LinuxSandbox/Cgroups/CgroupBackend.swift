// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Which cgroup trees carry the limits of this host.
package enum CgroupKind: UInt8, Sendable, CaseIterable {
    /// One v2 tree: limits, grouping, kill and peaks.
    case unified = 2
    /// Limits from the v1 controllers memory, pids and cpu; grouping and kill from a v2 tree
    /// mounted beside them.
    case hybrid = 1
}

/// How a new process comes to be in a cgroup; the descriptors stay the cgroup's.
package struct CgroupEntry: Sendable, Equatable {
    /// A v2 directory for clone3's CLONE_INTO_CGROUP.
    package var cloneDescriptor: Int32
    /// v1 `tasks` files: the single-threaded child writes "0" to each, early.
    package var joinDescriptors: [Int32]

    package init(cloneDescriptor: Int32, joinDescriptors: [Int32]) {
        self.cloneDescriptor = cloneDescriptor
        self.joinDescriptors = joinDescriptors
    }
}

/// What the processes of one attempt used together.
package struct CgroupUsage: Sendable, Equatable {
    /// Peak memory in bytes; nil where the kernel keeps no peak.
    package var peakMemoryBytes: UInt64?
    /// Peak number of processes and threads; nil where the kernel keeps no peak.
    package var peakProcesses: UInt64?
    /// User CPU time in microseconds.
    package var userMicroseconds: UInt64
    /// System CPU time in microseconds.
    package var systemMicroseconds: UInt64
    /// How many processes of this cgroup the OOM killer ended.
    package var outOfMemoryKills: UInt64
    /// How often the pids limit refused a fork.
    package var processLimitHits: UInt64
    /// How often memory to be written and run was refused, as the fork server counted.
    package var codeMemoryRefusals: UInt64 = 0

    package init() {
        userMicroseconds = 0
        systemMicroseconds = 0
        outOfMemoryKills = 0
        processLimitHits = 0
    }
}

/// The cgroup subtree delegated to a worker, as its fork server sees it.
///
/// All work goes through directory descriptors: a fork server has no cgroup mount in its view.
/// One thread owns a backend.
package protocol CgroupBackend: AnyObject {
    /// Which trees carry the limits.
    var kind: CgroupKind { get }

    /// Gives an empty cgroup with the limits of an attempt set and all counters at zero.
    ///
    /// A slot has one attempt at a time, from here to `release`.
    func prepareLeaf(slot: Int) throws(CgroupError) -> any AttemptCgroup

    /// Makes the leaf of a slot ready beforehand, off the hot path.
    func prewarm(slot: Int) throws(CgroupError)

    /// Removes what was busy at its release; returns whether something is left to remove.
    func sweep() -> Bool
}

/// The cgroup of one attempt.
package protocol AttemptCgroup: AnyObject {
    /// How the task process enters.
    var entry: CgroupEntry { get }

    /// An eventfd that turns readable when memory runs out here or in the class, shortly before the
    /// OOM killer ends one process of either (v1): call `kill` if `memoryKills` then counts one.
    /// Nil on v2, where memory.oom.group ends the whole tree.
    var outOfMemoryEvent: Int32? { get }

    /// Kills every process in it; new forks included.
    func kill() throws(CgroupError)

    /// Whether no live process is in it.
    func isEmpty() throws(CgroupError) -> Bool

    /// How many of its processes the OOM killer ended since `prepareLeaf`.
    ///
    /// Where there is an `outOfMemoryEvent`, neither this nor `kill` opens anything: an open file is
    /// charged to the class, and in a class at its limit the charge would have the kernel look for
    /// the next victim while the last one, gone from its list, still gives its memory back.
    func memoryKills() throws(CgroupError) -> UInt64

    /// What was used since `prepareLeaf`.
    func usage() throws(CgroupError) -> CgroupUsage

    /// Gives the slot back; never blocks. What is still busy is left to `sweep`.
    func release()
}
