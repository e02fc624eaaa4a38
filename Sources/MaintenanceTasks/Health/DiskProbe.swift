// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Glibc
import LinuxSystem
import SystemPackage

/// Looks at the space that is left where a directory lies.
struct DiskProbe {
    var name: String
    var path: String
    /// Percent of the space that others than root can use.
    var free: Threshold
    /// Fewer free bytes are critical whatever the percentage.
    var minimumFreeBytes: UInt64

    func findings() -> [Finding] {
        let status: statvfs
        do throws(Errno) {
            status = try FileSystem.room(of: path)
        } catch {
            return [.unknown("disk.\(name)", "\(path): \(error)")]
        }
        return [space(status)] + [inodes(status)].compactMap { $0 }
    }

    func space(_ status: statvfs) -> Finding {
        // In numbers that end nothing, whatever a file system says of itself.
        let block = Double(status.f_frsize)
        let available = Double(status.f_bavail) * block
        // What root keeps for itself is not there for us: df(1) counts the same way.
        let used = max(0, Double(status.f_blocks) - Double(status.f_bfree)) * block
        let usable = used + available
        guard usable > 0 else {
            return .unknown("disk.\(name)", "\(path) is on a file system without blocks")
        }
        let percent = available / usable * 100
        let judged = free.judgeLow(percent)
        return Finding(
            "disk.\(name)", available < Double(minimumFreeBytes) ? .critical : judged,
            "\(Self.mebibytes(available)) of \(Self.mebibytes(usable)) MiB are free",
            value: percent, unit: "percent")
    }

    private static func mebibytes(_ bytes: Double) -> UInt64 {
        UInt64(exactly: (bytes / 1_048_576).rounded(.down)) ?? .max
    }

    /// nil for file systems that make inodes as they need them.
    func inodes(_ status: statvfs) -> Finding? {
        guard status.f_files > 0 else { return nil }
        let percent = Double(status.f_favail) / Double(status.f_files) * 100
        let judged = free.judgeLow(percent)
        guard judged != .healthy else { return nil }
        return Finding(
            "disk.\(name).inodes", judged,
            "\(status.f_favail) of \(status.f_files) inodes are free", value: percent,
            unit: "percent")
    }
}
