// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc

/// One cgroup in all trees, open for a process to enter.
public final class CgroupGroup {
    /// How a process enters.
    public let entry: CgroupEntry
    private let directories: [CgroupDirectory]

    init(directories: [CgroupDirectory]) throws(CgroupError) {
        self.directories = directories
        var joins: [Int32] = []
        do {
            for directory in directories.dropFirst() {
                joins.append(try directory.openFile("tasks", flags: O_WRONLY))
            }
        } catch {
            for file in joins { close(file) }
            throw error
        }
        entry = CgroupEntry(
            cloneDescriptor: directories[0].descriptor, joinDescriptors: joins)
    }

    deinit {
        for file in entry.joinDescriptors { close(file) }
    }

    /// The processes in it, by their numbers here.
    public func processes() throws(CgroupError) -> [Int32] {
        try directories[0].read("cgroup.procs").numbers.map(Int32.init(clamping:))
    }
}

/// A worker's subtree: what it inherits, and where it starts.
public final class WorkerCgroups {
    /// The leaf in which worker and fork server live.
    public let worker: CgroupGroup
    /// The name for `CgroupTree.kill` and `remove`.
    public let group: String
    private let directories: [CgroupDirectory]

    init(directories: [CgroupDirectory], worker: CgroupGroup, group: String) {
        self.directories = directories
        self.worker = worker
        self.group = group
    }

    /// The subtree's directories in the order of a worker's descriptors from
    /// `InheritedCgroups.firstDescriptor` on.
    public var descriptors: [Int32] { directories.map(\.descriptor) }
}
