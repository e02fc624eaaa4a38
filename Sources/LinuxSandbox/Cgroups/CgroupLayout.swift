// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc
import LinuxSystem

/// Where a host has its cgroup trees, found out at start.
package struct CgroupLayout: Sendable {
    /// Which trees carry the limits.
    package var kind: CgroupKind
    /// The v2 tree.
    package var unified: String
    /// The v1 trees in the order of the table; empty on v2.
    var controllers: [MountedController]

    /// The v1 tree of a controller.
    struct MountedController: Sendable {
        var controller: CgroupController
        var path: String
    }

    /// Every tree, in the order of the descriptors that a worker inherits: v2 first.
    package var trees: [String] { [unified] + controllers.map(\.path) }

    /// Looks what is mounted under `root`.
    ///
    /// A v2 tree without what is needed counts only beside v1 controllers.
    /// - Throws: ENOTSUP where neither kind is complete.
    package static func discover(
        root: String = "/sys/fs/cgroup"
    ) throws(CgroupError) -> CgroupLayout {
        if hasControllers(at: root) {
            return CgroupLayout(kind: .unified, unified: root, controllers: [])
        }
        let unified = "\(root)/unified"
        let mounted = CgroupController.all.filter { isTree("\(root)/\($0.tree)") }
        guard isTree(unified), mounted.count >= CgroupController.ofAttempts.count,
            zip(mounted, CgroupController.ofAttempts).allSatisfy({ $0.name == $1.name })
        else {
            throw CgroupError(operation: "find cgroup trees under", subject: root, errno: ENOTSUP)
        }
        // Debian has cpu as a link to cpu,cpuacct; later opens follow no link.
        return CgroupLayout(
            kind: .hybrid, unified: unified,
            controllers: mounted.map {
                MountedController(controller: $0, path: resolved("\(root)/\($0.tree)"))
            })
    }

    private static func isTree(_ path: String) -> Bool {
        (try? FileStatus(following: "\(path)/cgroup.procs")) != nil
    }

    private static func hasControllers(at path: String) -> Bool {
        guard let directory = try? CgroupDirectory.open(path: path),
            let listed = try? directory.read("cgroup.controllers")
        else { return false }
        return CgroupController.all.allSatisfy { !$0.isNeeded || listed.contains(word: $0.name) }
    }

    private static func resolved(_ path: String) -> String {
        guard let pointer = realpath(path, nil) else { return path }
        defer { free(pointer) }
        return String(cString: pointer)
    }
}
