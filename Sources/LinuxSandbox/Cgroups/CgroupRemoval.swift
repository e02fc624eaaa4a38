// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// Kills and removes a cgroup subtree by descriptors, leaves first.
///
/// A class can have nested its part of a v1 tree as deep as it liked: nothing here recurses, and
/// the number of open descriptors does not grow with the depth.
enum CgroupRemoval {
    /// How long a killed tree may take to empty where nobody waits.
    static let patience = Duration.seconds(5)

    /// Kills what is in a cgroup below `parent`, by names with a slash between, and removes it with
    /// all below; a missing one is fine.
    ///
    /// - Throws: EBUSY where it is not empty after `patience`: what hangs in a call of a file system
    ///   that does not answer ends with that call only.
    static func remove(
        _ path: String, in top: CgroupDirectory, patience: Duration = patience
    ) throws(CgroupError) {
        let names = path.split(separator: "/").map(String.init)
        guard let name = names.last else { return }
        var parent = top
        for name in names.dropLast() {
            guard let next = try existing(name, in: parent) else { return }
            parent = next
        }
        guard let group = try existing(name, in: parent) else { return }
        try remove(group, patience) { () throws(CgroupError) in try parent.removeChild(name) }
    }

    private static func remove(
        _ group: CgroupDirectory, _ patience: Duration,
        isRemoved: () throws(CgroupError) -> Bool
    ) throws(CgroupError) {
        let deadline = Clock.monotonic + patience
        while true {
            try kill(group)
            // What is busy keeps its parents, up to this one.
            try walk(
                group,
                leave: { entry, parent throws(CgroupError) in
                    _ = try parent.removeChild(entry)
                })
            if try isRemoved() { return }
            guard Clock.monotonic < deadline else {
                throw CgroupError(operation: "empty", subject: group.label, errno: EBUSY)
            }
            waitForChange(of: group)
        }
    }

    /// Kills and removes all that is below a cgroup, which stays.
    static func empty(_ group: CgroupDirectory) throws(CgroupError) {
        for entry in try group.children() {
            let label = "\(group.label)/\(entry.shown)"
            guard let child = try group.child(entry, label: label) else { continue }
            try remove(child, patience) { () throws(CgroupError) in try group.removeChild(entry) }
        }
    }

    private static func existing(
        _ name: String, in parent: CgroupDirectory
    ) throws(CgroupError) -> CgroupDirectory? {
        do {
            return try parent.child(name)
        } catch {
            if error.isMissing { return nil }
            throw error
        }
    }

    /// Visits all below a cgroup: `enter` from the top down, `leave` with each one's entry and
    /// parent from the leaves up. What disappears on the way is passed over.
    private static func walk(
        _ group: CgroupDirectory,
        enter: (CgroupDirectory) throws(CgroupError) -> Void = { _ in },
        leave: (Directory.Entry, CgroupDirectory) throws(CgroupError) -> Void = { _, _ in }
    ) throws(CgroupError) {
        // Where the walk is: the entries from the group down, and what is yet to be seen of each.
        var entries: [Directory.Entry] = []
        var pending = [try group.children()]
        var current = group
        while let entry = pending[pending.count - 1].popLast() {
            if let child = try current.child(entry) {
                current = child
                try enter(current)
                entries.append(entry)
                pending.append(try current.children())
            }
            while pending[pending.count - 1].isEmpty, let done = entries.popLast() {
                pending.removeLast()
                // A cgroup is never moved to another parent: `..` is where the walk came from.
                guard let parent = entries.isEmpty ? group : try current.parent() else { return }
                current = parent
                try leave(done, current)
            }
        }
    }

    /// v2 kills a whole tree at once; on v1 the trees are asked for what v2 did not hold.
    private static func kill(_ group: CgroupDirectory) throws(CgroupError) {
        if try group.writeIfPresent("1", to: "cgroup.kill") { return }
        try killMembers(of: group)
        try walk(group, enter: killMembers)
    }

    private static func killMembers(of group: CgroupDirectory) throws(CgroupError) {
        for pid in try group.read("cgroup.procs").numbers where pid > 1 && pid != getpid() {
            try kill(pid_t(pid)) { () throws(CgroupError) in
                try group.read("cgroup.procs").numbers.contains(pid)
            }
        }
    }

    /// Kills a process that was a member when it was last looked, if it still is.
    ///
    /// By pidfd, and looked at again once that is open: the number may be another's by now.
    static func kill(
        _ pid: pid_t, ifStill isMember: () throws(CgroupError) -> Bool
    ) throws(CgroupError) {
        let pidfd: Descriptor
        do throws(Errno) {
            pidfd = try Pidfd.open(pid)
        } catch {
            if error == .noSuchProcess { return }
            throw CgroupError(operation: "open process", subject: "\(pid)", errno: error.rawValue)
        }
        if try isMember() { Pidfd.kill(pidfd.number) }
    }

    /// Sleeps until the kernel says that the tree emptied, at most 100 ms.
    private static func waitForChange(of group: CgroupDirectory) {
        var changed = PollSet()
        guard let events = try? group.open("cgroup.events", for: .reading) else {
            _ = try? changed.wait(for: .milliseconds(10))
            return
        }
        // A change is one since it was read last.
        _ = try? events.read()
        changed.add(events.number, .priority)
        _ = try? changed.wait(for: .milliseconds(100))
    }
}
