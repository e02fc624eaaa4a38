// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Glibc
import LinuxSandbox

/// What root can do in this process, and what is left of it once it is confined as a keeper of
/// grants is. Its capabilities stay: only the filter is between the two.
enum KeeperCalls {
    /// Each with what came of it as an errno, or 0; `unshare` last, which changes the process.
    private static func attempts() -> String {
        var found: [String] = []
        func note(_ name: String, _ result: Int) {
            found.append("\(name) \(result < 0 ? errno : 0)")
        }
        let made = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        note("socket", Int(made))
        close(made)
        note("mount", Int(mount("none", "/proc/self/no-such", "tmpfs", 0, nil)))
        let child = fork()
        if child == 0 { _exit(0) }
        note("fork", Int(child))
        if child > 0 { waitpid(child, nil, 0) }
        let memory = "m".withCString {
            Attack.call(Int(SYS_memfd_create), Int(bitPattern: $0), 0)
        }
        note("memfd", memory)
        close(Int32(memory))
        note("kill", Int(kill(getpid(), 0)))
        // CLONE_NEWUTS.
        let own = open("/proc/self/ns/uts", O_RDONLY)
        note("setns", Attack.call(Int(SYS_setns), Int(own), 0x0400_0000))
        note("openat", Int(own))
        close(own)
        note("unshare", Attack.call(Int(SYS_unshare), 0x0400_0000))
        return found.joined(separator: ", ")
    }

    /// - Parameter file: has the filter, as `sock_filter` after `sock_filter`.
    static func run(filter file: String) -> String {
        let size = MemoryLayout<FilterInstruction>.stride
        var filter = [UInt64](repeating: 0, count: 4096)
        let descriptor = open(file, O_RDONLY)
        let count = read(descriptor, &filter, filter.count * size)
        guard count > 0, count % size == 0 else { return "no filter in \(file)" }
        let before = attempts()
        let kept: [Int32] = [0, 1, 2]
        guard aico_grants_confine(kept, kept.count, filter, UInt16(count / size)) == 0 else {
            return "errno \(errno)"
        }
        return "\(before); \(attempts())"
    }
}
