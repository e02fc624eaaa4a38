// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc

/// Where a host has its cgroup trees, found out at start.
public struct CgroupLayout: Sendable, Equatable {
    /// Which trees carry the limits.
    public var kind: CgroupKind
    /// The v2 tree.
    public var unified: String
    /// The v1 trees in the fixed order memory, pids, cpu; empty on v2.
    public var controllers: [String]

    /// The v1 controllers of a hybrid host, in the order of their descriptors.
    static let controllerNames = ["memory", "pids", "cpu"]

    /// Every tree, in the order of the descriptors that a worker inherits: v2 first.
    public var trees: [String] { [unified] + controllers }

    /// Looks what is mounted under `root`.
    ///
    /// A v2 tree without memory and pids counts only beside v1 controllers.
    /// - Throws: ENOTSUP where neither kind is complete.
    public static func discover(
        root: String = "/sys/fs/cgroup"
    ) throws(CgroupError) -> CgroupLayout {
        if hasControllers(at: root) {
            return CgroupLayout(kind: .unified, unified: root, controllers: [])
        }
        let unified = "\(root)/unified"
        let controllers = controllerNames.map { "\(root)/\($0)" }
        let needed = ["\(unified)/cgroup.procs"] + controllers.map { "\($0)/cgroup.procs" }
        guard needed.allSatisfy({ access($0, F_OK) == 0 }) else {
            throw CgroupError(operation: "find cgroup trees under", subject: root, errno: ENOTSUP)
        }
        // Debian has cpu as a link to cpu,cpuacct; later opens follow no link.
        return CgroupLayout(
            kind: .hybrid, unified: unified, controllers: controllers.map(resolved))
    }

    private static func hasControllers(at path: String) -> Bool {
        guard let directory = try? CgroupDirectory.open(path: path),
            let listed = try? directory.read("cgroup.controllers")
        else { return false }
        return listed.contains(word: "memory") && listed.contains(word: "pids")
    }

    private static func resolved(_ path: String) -> String {
        guard let pointer = realpath(path, nil) else { return path }
        defer { free(pointer) }
        return String(cString: pointer)
    }
}
