// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Glibc
import LinuxSystem

/// The supervisor's cgroups: one parent, below it the scheduler's leaf and a cgroup per class, and
/// below that a subtree per worker of the class.
///
/// Only cgroups below `<tree>/<parent>` are ever made, killed or removed.
package final class CgroupTree {
    /// What is mounted.
    package let layout: CgroupLayout
    /// The parent's name in every tree.
    package let parentName: String
    private let roots: [CgroupDirectory]
    private var parents: [CgroupDirectory] = []
    /// Each class's directories in all trees, with its limits set.
    private var classes: [String: [CgroupDirectory]] = [:]
    private let stand: StandInKernel?

    /// The files that a delegate needs besides the directory; cgroup-v2.rst, "Delegation".
    private static let delegatedFiles = [
        "cgroup.procs", "cgroup.threads", "cgroup.subtree_control", "tasks",
    ]

    /// Cgroups of a worker beside those of its slots: the worker's, and busy ones left to a sweep.
    private static let sparedCgroups = 64

    /// The parent's name of an instance: `aico-` and the 128 bits of the FNV-1a hash of its root's
    /// path, a zero byte and its id, in 32 hex digits.
    ///
    /// Both: a copy of a root has its id at another path, a second container its path with another id.
    package static func parentName(root: String, instance: String) -> String {
        var hash: UInt128 = 0x6C62_272E_07BB_0142_62B8_2175_6295_C58D
        for byte in Array(root.utf8) + [0] + Array(instance.utf8) {
            hash = (hash ^ UInt128(byte)) &* 0x0100_0000_0000_0000_0000_013B
        }
        let digits = String(hash, radix: 16)
        return "aico-" + String(repeating: "0", count: 32 - digits.count) + digits
    }

    /// Opens the trees; makes nothing yet.
    package convenience init(
        layout: CgroupLayout, root: String, instance: String
    ) throws(CgroupError) {
        try self.init(
            layout: layout, parentName: Self.parentName(root: root, instance: instance), stand: nil)
    }

    init(layout: CgroupLayout, parentName: String, stand: StandInKernel?) throws(CgroupError) {
        self.layout = layout
        self.parentName = parentName
        self.stand = stand
        var roots: [CgroupDirectory] = []
        for path in layout.trees { roots.append(try .open(path: path, stand: stand)) }
        self.roots = roots
    }

    /// Takes the parent for this process's life, and kills and removes what a dead instance left.
    ///
    /// - Throws: EBUSY where a living process has taken it; nothing of that one is touched.
    package func create() throws(CgroupError) {
        let own = try take()
        try CgroupRemoval.empty(own)
        parents = [own]
        for root in roots.dropFirst() {
            try CgroupRemoval.remove(parentName, in: root)
            parents.append(try root.makeChild(parentName))
        }
        guard layout.kind == .unified else { return }
        try enable(CgroupController.all, below: roots[0])
        try enable(CgroupController.all, below: parents[0])
    }

    /// The keys of those limits that this host has no file for.
    package func lacks(of limits: PlanLimits) -> [String] {
        CgroupController.all.filter { controller in
            let settings = controller.settings(limits, on: layout.kind)
            guard controller.isOptional, !settings.isEmpty else { return false }
            return !settings.contains { setting in
                (try? parent(of: controller)?.readIfPresent(setting.file)) != nil
            }
        }.map(\.key)
    }

    private func parent(of controller: CgroupController) -> CgroupDirectory? {
        switch layout.kind {
        case .unified: parents.first
        case .hybrid:
            zip(layout.controllers, parents.dropFirst())
                .first { $0.0.controller.name == controller.name }?.1
        }
    }

    /// Makes a leaf with limits for one process tree, as the scheduler's.
    package func makeLeaf(
        _ name: String, limits: PlanLimits
    ) throws(CgroupError) -> CgroupGroup {
        var groups: [CgroupDirectory] = []
        for parent in parents { groups.append(try parent.makeChild(name)) }
        try apply(limits, to: groups, endsTogether: true)
        return try CgroupGroup(directories: groups)
    }

    /// Names a worker's subtree, for `kill` and `remove`.
    package static func group(of worker: String, in taskClass: String) -> String {
        "class-\(taskClass)/\(worker)"
    }

    /// Makes a worker's subtree below its class's cgroup, gives it to the class's user and makes the
    /// leaf that the worker itself lives in.
    ///
    /// The class's limits bound all its workers together, and what they had charged to it.
    package func makeWorker(
        _ name: String, of taskClass: String, plan: Plan
    ) throws(CgroupError) -> WorkerCgroups {
        var groups: [CgroupDirectory] = []
        for group in try makeClass(taskClass, limits: plan.classLimits) {
            groups.append(try group.makeChild(name))
        }
        // Root's files: a fork server gone bad can neither nest cgroups nor fill the tree with
        // them. v1 has no such limits; CgroupRemoval copes with what it finds there.
        try groups[0].writeIfPresent("1", to: "cgroup.max.depth")
        try groups[0].writeIfPresent(
            "\(Self.sparedCgroups + 8 * Int(plan.concurrency))", to: "cgroup.max.descendants")
        // A process may sit only in a leaf of v2; controllers reach the leaves from here.
        if layout.kind == .unified {
            try enable(CgroupController.ofAttempts, below: groups[0])
        }
        var workers: [CgroupDirectory] = []
        for group in groups { workers.append(try group.makeChild(LeafNames.worker)) }
        // Of a controller of the class's alone its attempts need no cgroup.
        let delegated = Array(groups.prefix(1 + CgroupController.ofAttempts.count))
        for group in delegated {
            try group.delegate(
                uid: plan.userID, gid: plan.groupID, files: Self.delegatedFiles)
        }
        // The worker's own leaf stays root's: it cannot leave it, only fill its siblings.
        return WorkerCgroups(
            directories: delegated, worker: try CgroupGroup(directories: workers),
            group: Self.group(of: name, in: taskClass))
    }

    /// Makes a class's cgroup, which stays while its workers come and go: root's alone, as its limits.
    private func makeClass(
        _ name: String, limits: PlanLimits
    ) throws(CgroupError) -> [CgroupDirectory] {
        if let groups = classes[name] { return groups }
        var groups: [CgroupDirectory] = []
        for parent in parents { groups.append(try parent.makeChild("class-\(name)")) }
        try apply(limits, to: groups, endsTogether: false)
        if layout.kind == .unified {
            try enable(CgroupController.ofAttempts, below: groups[0])
        }
        classes[name] = groups
        return groups
    }

    /// Kills every process of a leaf or worker; new forks included.
    package func kill(_ name: String) throws(CgroupError) {
        guard let parent = parents.first else { return }
        try parent.child(name).write("1", to: "cgroup.kill")
    }

    /// Kills and removes a leaf or a worker's subtree in all trees.
    ///
    /// - Throws: EBUSY where something in it does not end within `patience`.
    package func remove(_ name: String, patience: Duration) throws(CgroupError) {
        let deadline = Clock.monotonic + patience
        for parent in parents {
            try CgroupRemoval.remove(
                name, in: parent, patience: max(.zero, deadline - Clock.monotonic))
        }
    }

    /// Kills and removes everything of ours; nothing where `create` did not take the parent.
    package func remove() throws(CgroupError) {
        guard !parents.isEmpty else { return }
        classes.removeAll()
        for root in roots { try CgroupRemoval.remove(parentName, in: root) }
        // Only now: its lock is on the first of them.
        parents.removeAll()
    }

    /// Makes the parent in the v2 tree, or takes the one that is there, and locks it.
    ///
    /// The lock is on the kernel's own directory: it is seen from every container that shares the
    /// tree, whatever process ids it sees, and goes with its holder.
    private func take() throws(CgroupError) -> CgroupDirectory {
        while true {
            let group = try roots[0].makeChild(parentName)
            guard try group.lock() else {
                throw CgroupError(operation: "take", subject: group.label, errno: EBUSY)
            }
            // Its last holder may have removed it before the lock was ours.
            if try group.isSame(as: try roots[0].makeChild(parentName)) { return group }
        }
    }

    private func apply(
        _ limits: PlanLimits, to groups: [CgroupDirectory], endsTogether: Bool
    ) throws(CgroupError) {
        switch layout.kind {
        case .unified:
            for controller in CgroupController.all {
                try controller.apply(limits, to: groups[0], on: .unified, isLeaf: endsTogether)
            }
        case .hybrid:
            for (mounted, group) in zip(layout.controllers, groups.dropFirst()) {
                try mounted.controller.apply(limits, to: group, on: .hybrid)
            }
        }
    }

    private func enable(
        _ controllers: [CgroupController], below group: CgroupDirectory
    ) throws(CgroupError) {
        let offered = try group.read("cgroup.controllers")
        for controller in controllers {
            let word = "+\(controller.name)"
            if controller.isNeeded {
                try group.write(word, to: "cgroup.subtree_control")
            } else if offered.contains(word: controller.name) {
                // cpu may be barred (by real-time tasks); a cpu limit then fails by itself.
                try? group.write(word, to: "cgroup.subtree_control")
            }
        }
    }
}
