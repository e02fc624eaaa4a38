// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Glibc
import Testing

@testable import LinuxSandbox

/// A temporary directory that looks like a cgroup mount; removed with its owner.
final class FakeCgroupMount {
    let path: String

    init(trees: [String: [String: String]]) throws {
        var template = Array("/tmp/aico-cgroup-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw FixtureError(errno: errno) }
        path = String(cString: made)
        for (tree, files) in trees {
            let directory = tree.isEmpty ? path : "\(path)/\(tree)"
            mkdir(directory, 0o755)
            for (name, text) in files { try Self.write(text, to: "\(directory)/\(name)") }
        }
    }

    deinit { removeTree(path) }

    /// A v2 mount.
    static func unified(controllers: String = "cpuset cpu io memory pids") throws -> FakeCgroupMount
    {
        try FakeCgroupMount(trees: [
            "": [
                "cgroup.controllers": controllers + "\n", "cgroup.procs": "",
                "cgroup.subtree_control": "",
            ]
        ])
    }

    /// v1 controllers with a v2 tree beside them.
    static func hybrid(weighsIO: Bool = false) throws -> FakeCgroupMount {
        var trees: [String: [String: String]] = ["unified": ["cgroup.procs": "1\n"]]
        for name in ["memory", "pids", "cpu"] + (weighsIO ? ["blkio"] : []) {
            trees[name] = ["cgroup.procs": "1\n"]
        }
        return try FakeCgroupMount(trees: trees)
    }

    func text(_ file: String) -> String? {
        let descriptor = open("\(path)/\(file)", O_RDONLY)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = read(descriptor, &buffer, buffer.count)
        return String(decoding: buffer[..<max(count, 0)], as: UTF8.self)
    }

    func exists(_ file: String) -> Bool { access("\(path)/\(file)", F_OK) == 0 }

    static func write(_ text: String, to path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        guard descriptor >= 0 else { throw FixtureError(errno: errno) }
        defer { close(descriptor) }
        _ = text.withCString { Glibc.write(descriptor, $0, strlen($0)) }
    }
}

struct FixtureError: Error {
    var errno: Int32
}

/// Makes the control files appear in new directories as the kernel does.
func standIn(files: [String]) -> StandInKernel {
    StandInKernel(
        populate: { directory in
            for name in files {
                let file = openat(directory, name, O_WRONLY | O_CREAT, 0o644)
                if file >= 0 { close(file) }
            }
            // As the kernel answers at once for an empty group.
            let events = openat(directory, "cgroup.events", O_WRONLY | O_CREAT | O_TRUNC, 0o644)
            _ = "populated 0\n".withCString { write(events, $0, strlen($0)) }
            close(events)
        },
        depopulate: { directory in
            for name in files + ["cgroup.events"] { unlinkat(directory, name, 0) }
        })
}

let unifiedFiles = [
    "cgroup.procs", "cgroup.threads", "cgroup.controllers", "cgroup.subtree_control",
    "cgroup.kill", "memory.max", "memory.swap.max", "memory.oom.group", "memory.peak",
    "memory.events", "pids.max", "pids.peak", "pids.events", "cpu.max", "cpu.stat", "io.weight",
]

let hybridFiles = [
    "cgroup.procs", "tasks", "cgroup.kill", "cgroup.event_control", "cpu.stat",
    "memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "memory.max_usage_in_bytes",
    "memory.usage_in_bytes", "memory.oom_control", "memory.force_empty", "pids.max", "pids.peak",
    "pids.events", "cpu.cfs_period_us", "cpu.cfs_quota_us", "blkio.bfq.weight",
]

/// Removes a directory tree without following links.
func removeTree(_ path: String) {
    guard let stream = opendir(path) else { return }
    while let entry = readdir(stream) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
            $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name == "." || name == ".." { continue }
        let full = "\(path)/\(name)"
        if entry.pointee.d_type == DT_DIR { removeTree(full) } else { unlink(full) }
    }
    closedir(stream)
    rmdir(path)
}

/// The plan of the cgroup tests.
func cgroupPlan(memory: UInt64 = 0, processes: UInt64 = 0, cpu: UInt64 = 0) -> Plan {
    var plan = Plan()
    plan.userID = 61004
    plan.groupID = 61004
    plan.attemptLimits.memoryBytes = memory
    plan.attemptLimits.processes = processes
    plan.attemptLimits.cpuPercent = cpu
    return plan
}
