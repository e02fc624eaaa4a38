// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc
package import LinuxSystem
import SystemPackage

/// Looks from outside for descriptors by which a process of a class could reach the host's files: a
/// canary sees its own process only.
///
/// What is open on a mount of the host's leads out of the class root, whatever the root is. Nothing
/// is asked of the file itself, which may lie where nothing answers; and nothing of the process,
/// which could lie. Descriptors of other processes are read with CAP_SYS_PTRACE (proc(5)).
package enum HostDescriptors {
    /// A descriptor that should not be there.
    package struct Finding: Sendable, Hashable, CustomStringConvertible {
        /// Its number in the process.
        package var number: Int32
        /// Where it leads, as the caller sees the path.
        package var path: String

        /// As `descriptor 1 is '/srv/x'`.
        package var description: String { "descriptor \(number) is '\(path)' of the host" }
    }

    /// The mounts of this process's namespace and of the one that it left, by their numbers.
    package struct Mounts: Sendable {
        let numbers: Set<[UInt8]>

        /// Reads them: thousands, where a machine runs containers.
        ///
        /// - Throws: where one of the two lists cannot be read: with none, nothing would be found.
        package init() throws(SystemError) {
            try self.init(files: ["/proc/self/mountinfo", "/proc/1/mountinfo"])
        }

        /// Of any length: each container of the machine may add to them.
        init(files: [String]) throws(SystemError) {
            var numbers: Set<[UInt8]> = []
            for file in files {
                // A line's first field; nil behind it.
                var number: [UInt8]? = []
                try File(reading: file).read { block throws(SystemError) in
                    for byte in block {
                        switch byte {
                        case UInt8(ascii: "\n"): number = []
                        case UInt8(ascii: " "):
                            if let number { numbers.insert(number) }
                            number = nil
                        default: number?.append(byte)
                        }
                    }
                }
            }
            self.numbers = numbers
        }
    }

    /// The most descriptors that are looked at: far more than both halves of a worker have.
    private static let most = 4096

    /// Finds them in a process; one that has ended has none.
    ///
    /// - Parameters:
    ///   - mounts: as they were read lately, for several processes at once; nil reads them.
    ///   - spared: directories of the host's that it may hold with what is beneath, by descriptors
    ///     of the caller's: its cgroups.
    ///   - isInExec: the process is on its way into its program: what that closes is not counted.
    /// - Throws: what kept it from being looked at.
    package static func find(
        in processID: Int32, on mounts: Mounts? = nil, sparing spared: [Int32] = [],
        isInExec: Bool = false
    ) throws(SystemError) -> [Finding] {
        let paths = ["/dev/null"] + spared.compactMap { link("/proc/self/fd/\($0)") }
        let known: Mounts
        if let mounts { known = mounts } else { known = try Mounts() }
        let first = try look(at: processID, known, paths, isInExec: isInExec)
        if first.isEmpty { return [] }
        // The number of a mount that goes is the next one's: such a one is not there twice.
        let second = Set(try look(at: processID, Mounts(), paths, isInExec: isInExec))
        return first.filter(second.contains)
    }

    private static func look(
        at processID: Int32, _ mounts: Mounts, _ spared: [String], isInExec: Bool
    ) throws(SystemError) -> [Finding] {
        let place = "/proc/\(processID)"
        let (names, isAll): ([String], Bool)
        do throws(SystemError) {
            (names, isAll) = try Directory("\(place)/fd").names(limit: most)
        } catch {
            if error.isOfAnEnded { return [] }
            throw error
        }
        // One of the host's could stand behind as many others.
        guard isAll else {
            throw SystemError("list", "\(place)/fd", .untrusted("it has more than \(most) names"))
        }
        var findings: [Finding] = []
        for name in names {
            guard let number = Int32(name) else { continue }
            // Reading more of each is what a look costs: not of 'socket:[7]' and the like, which are on
            // no mount of the host's (a file's path begins with '/'), nor of what may be there.
            let path = link("\(place)/fd/\(name)")
            if let path {
                guard path.hasPrefix("/"), !spared.contains(where: { isBeneath(path, $0) }) else {
                    continue
                }
            }
            let info: String
            do throws(SystemError) {
                info = String(
                    decoding: try File(reading: "\(place)/fdinfo/\(name)").bytes(limit: 65_536),
                    as: UTF8.self)
            } catch {
                if error.isOfAnEnded { continue }
                throw error
            }
            let flags = field("flags", of: info).flatMap { Int($0, radix: 8) } ?? 0
            if isInExec, flags & Int(O_CLOEXEC) != 0 { continue }
            guard let mount = field("mnt_id", of: info),
                mounts.numbers.contains(Array(mount.utf8)),
                let path
            else { continue }
            findings.append(Finding(number: number, path: path))
        }
        return findings
    }

    private static func field(_ name: String, of info: String) -> Substring? {
        for line in info.split(separator: "\n") where line.hasPrefix("\(name):") {
            return line.split(whereSeparator: \.isWhitespace).last
        }
        return nil
    }

    private static func link(_ path: String) -> String? {
        try? FileSystem.target(ofLink: path)
    }
}

extension SystemError {
    /// Whether the process, or its descriptor, is gone meanwhile.
    fileprivate var isOfAnEnded: Bool { isMissing || errno == .noSuchProcess }
}
