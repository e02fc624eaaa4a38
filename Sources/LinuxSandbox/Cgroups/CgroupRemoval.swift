// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc

/// Kills and removes a cgroup subtree by descriptors, leaves first.
enum CgroupRemoval {
    /// How long a killed tree may take to empty, in tries of up to 100 ms each.
    private static let tries = 50

    /// Kills what is in a child of `parent` and removes it with all below; a missing one is fine.
    static func remove(_ name: String, in parent: CgroupDirectory) throws(CgroupError) {
        guard let group = try existing(name, in: parent) else { return }
        for _ in 0..<tries {
            try kill(group)
            if try removeTree(name, in: parent) { return }
            waitForChange(of: group)
        }
        throw CgroupError(operation: "empty", subject: group.label, errno: EBUSY)
    }

    private static func existing(
        _ name: String, in parent: CgroupDirectory
    ) throws(CgroupError) -> CgroupDirectory? {
        do {
            return try parent.child(name)
        } catch {
            if error.errno == ENOENT { return nil }
            throw error
        }
    }

    private static func removeTree(
        _ name: String, in parent: CgroupDirectory
    ) throws(CgroupError) -> Bool {
        guard let group = try existing(name, in: parent) else { return true }
        var isEmpty = true
        for child in children(of: group) where try !removeTree(child, in: group) {
            isEmpty = false
        }
        guard isEmpty else { return false }
        return try parent.removeChild(name)
    }

    /// v2 kills a whole tree at once; on v1 the trees are asked for what v2 did not hold.
    private static func kill(_ group: CgroupDirectory) throws(CgroupError) {
        if try group.writeIfPresent("1", to: "cgroup.kill") { return }
        for pid in try group.read("cgroup.procs").numbers where pid > 1 && pid != getpid() {
            Glibc.kill(pid_t(pid), SIGKILL)
        }
        for name in children(of: group) {
            if let child = try existing(name, in: group) { try kill(child) }
        }
    }

    /// Sleeps until the kernel says that the tree emptied, at most 100 ms.
    private static func waitForChange(of group: CgroupDirectory) {
        guard let events = try? group.openFile("cgroup.events", flags: O_RDONLY) else {
            poll(nil, 0, 10)
            return
        }
        defer { close(events) }
        var byte: UInt8 = 0
        while Glibc.read(events, &byte, 1) == 1 {}
        var waiting = pollfd(fd: events, events: Int16(POLLPRI), revents: 0)
        poll(&waiting, 1, 100)
    }

    /// Names of the directories directly below.
    private static func children(of group: CgroupDirectory) -> [String] {
        let copy = openat(group.descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0, let stream = fdopendir(copy) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            guard entry.pointee.d_type == DT_DIR else { continue }
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}
