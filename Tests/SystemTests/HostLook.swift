// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc
import LinuxSandbox

extension String {
    /// Without white space at both ends.
    var trimmed: String {
        var rest = self[...]
        while rest.last?.isWhitespace == true { rest.removeLast() }
        while rest.first?.isWhitespace == true { rest.removeFirst() }
        return String(rest)
    }
}

/// What the host has of an instance, seen from outside.
extension Instance {
    /// The name of its cgroups in every tree.
    var cgroupParent: String {
        let id = (try? textOfFile("\(root)/var/lib/aico/instance").trimmed) ?? ""
        return CgroupTree.parentName(root: root, instance: id)
    }

    /// Its cgroups in all trees.
    func cgroups() throws -> [String] {
        let layout = try CgroupLayout.discover()
        var found: [String] = []
        func walk(_ path: String) {
            guard fileExists(path) else { return }
            found.append(path)
            for name in (try? directoryEntries(path)) ?? [] {
                var status = stat()
                let child = "\(path)/\(name)"
                if lstat(child, &status) == 0, status.st_mode & S_IFMT == S_IFDIR { walk(child) }
            }
        }
        for tree in layout.trees { walk("\(tree)/\(cgroupParent)") }
        return found
    }

    /// The command lines of the processes in its cgroups that run as a user.
    func processes(of user: UInt32) throws -> [String] {
        try hostProcesses().filter { $0.user == user }.map(\.command)
    }

    private func userID(of process: Substring) throws -> UInt32? {
        let line = try textOfFile("/proc/\(process)/status").split(separator: "\n")
            .first { $0.hasPrefix("Uid:") }
        return line?.split(separator: "\t").dropFirst().first.flatMap { UInt32($0) }
    }

    /// Every process in its cgroups.
    func hostProcesses() throws -> [(processID: Int32, user: UInt32, command: String)] {
        let layout = try CgroupLayout.discover()
        let groups = try cgroups().filter { $0.hasPrefix("\(layout.unified)/") }
        var found: [(Int32, UInt32, String)] = []
        for group in groups {
            let text = (try? textOfFile("\(group)/cgroup.procs")) ?? ""
            for word in text.split(separator: "\n") {
                guard let processID = Int32(word) else { continue }
                let command = ((try? textOfFile("/proc/\(word)/cmdline")) ?? "")
                    .replacing("\0", with: " ")
                // Not the owner of its directory: that is root's where it may not be dumped.
                guard let user = try? userID(of: word) else { continue }
                found.append((processID, user, command))
            }
        }
        return found
    }
}
