// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// One cgroup in all trees, open for a process to enter.
package final class CgroupGroup {
    private let directories: [CgroupDirectory]
    private let joins: [ControlFile]

    init(directories: [CgroupDirectory]) throws(CgroupError) {
        self.directories = directories
        var joins: [ControlFile] = []
        for directory in directories.dropFirst() {
            joins.append(try directory.open("tasks", for: .writing))
        }
        self.joins = joins
    }

    /// How a process enters.
    package var entry: CgroupEntry {
        CgroupEntry(
            cloneDescriptor: directories[0].descriptor, joinDescriptors: joins.map(\.number))
    }

    /// The processes in it, by their numbers here.
    package func processes() throws(CgroupError) -> [Int32] {
        try directories[0].read("cgroup.procs").numbers.map(Int32.init(clamping:))
    }
}

/// A worker's subtree: what it inherits, and where it starts.
package final class WorkerCgroups {
    /// The leaf in which worker and fork server live.
    package let worker: CgroupGroup
    /// The name for `CgroupTree.kill` and `remove`.
    package let group: String
    private let directories: [CgroupDirectory]

    init(directories: [CgroupDirectory], worker: CgroupGroup, group: String) {
        self.directories = directories
        self.worker = worker
        self.group = group
    }

    /// The subtree's directories in the order of a worker's descriptors from
    /// `InheritedCgroups.firstDescriptor` on.
    package var descriptors: [Int32] { directories.map(\.descriptor) }
}
