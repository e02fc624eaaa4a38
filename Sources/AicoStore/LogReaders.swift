// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc

/// Who reads from a database in WAL mode now, and so keeps its log from starting over.
///
/// A reader holds a shared lock on a byte of the `-shm` file. They are read off /proc/locks: to
/// open and close that file here would drop the locks of this process's own connections, as
/// POSIX has it for fcntl locks.
enum LogReaders {
    /// The bytes of the readers' locks: WAL_READ_LOCK(0) to (4), walformat.html, section 2.3.
    private static let bytes = 123...127

    /// The readers of a database, as `process 4711 (sqlite3)`; none where they cannot be told.
    static func names(beside path: String) -> [String] {
        var status = stat()
        guard stat(path + "-shm", &status) == 0, let table = text(of: "/proc/locks") else {
            return []
        }
        let file = File(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
        return processes(in: table, file: file).map { process in
            guard process != getpid() else { return "the scheduler itself" }
            let name = text(of: "/proc/\(process)/comm")?.split(separator: "\n").first
            return "process \(process)" + (name.map { " (\($0))" } ?? "")
        }
    }

    /// A file as /proc/locks names it.
    struct File: Equatable {
        var major: UInt32
        var minor: UInt32
        var inode: UInt64
    }

    /// The processes with a reader's lock on a file, from lines as
    /// `1: POSIX  ADVISORY  READ 4711 08:01:131085 124 124`; see proc_locks(5).
    static func processes(in table: String, file: File) -> [Int32] {
        var found: Set<Int32> = []
        for line in table.split(separator: "\n") {
            let words = line.split(separator: " ")
            // A line with an arrow tells of one who waits.
            guard words.count == 8, words[3] == "READ", let process = Int32(words[4]), process > 0,
                self.file(words[5]) == file, let first = UInt64(words[6]),
                let last = words[7] == "EOF" ? .max : UInt64(words[7]),
                first <= UInt64(bytes.upperBound), last >= UInt64(bytes.lowerBound)
            else { continue }
            found.insert(process)
        }
        return found.sorted()
    }

    private static func file(_ text: Substring) -> File? {
        let parts = text.split(separator: ":")
        guard parts.count == 3, let major = UInt32(parts[0], radix: 16),
            let minor = UInt32(parts[1], radix: 16), let inode = UInt64(parts[2])
        else { return nil }
        return File(major: major, minor: minor, inode: inode)
    }

    /// The first 256 KiB of a file of /proc.
    private static func text(of path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 16384)
        while bytes.count < 1 << 18 {
            let count = read(descriptor, &part, part.count)
            guard count > 0 else { break }
            bytes += part[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension LogReaders.File {
    /// Takes a device's number apart as makedev(3) of glibc puts it together: a macro there.
    init(device: UInt64, inode: UInt64) {
        major = UInt32(truncatingIfNeeded: device >> 8 & 0xFFF | device >> 32 & ~0xFFF)
        minor = UInt32(truncatingIfNeeded: device & 0xFF | device >> 12 & ~0xFF)
        self.inode = inode
    }
}
