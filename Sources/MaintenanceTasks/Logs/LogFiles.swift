// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import LinuxSystem
import TaskKit

/// A rotated log file.
struct RotatedFile: Equatable {
    /// The names from the log directory down.
    var path: [String]
    var bytes: Int64
    /// Seconds since the epoch.
    var modified: Int64
    var device: UInt64
    var inode: UInt64
}

/// What was removed, or would be.
struct FileTally: Equatable {
    var files = 0
    var bytes: Int64 = 0
    /// Files that should have gone and are still there.
    var failures = 0
}

/// Removes rotated log files, oldest first; never one that may be written, never through a link.
struct LogFiles {
    /// How deep directories are looked into.
    static let maximumDepth = 4
    /// How many names of one directory are looked at.
    static let maximumNames = 100_000

    let root: String
    let context: TaskContext
    var dryRun: Bool
    /// Files that changed after this, in seconds since the epoch, may still be open.
    var settledBefore: Int64

    /// Removes what changed last before `cutoff`, then the oldest beyond `limit` bytes in all.
    func remove(before cutoff: Int64, beyond limit: Int64) throws -> FileTally {
        do {
            return try remove(in: try Directory(root), before: cutoff, beyond: limit)
        } catch let error as SystemError {
            throw TaskFailure.transient(error.description)
        }
    }

    private func remove(
        in directory: borrowing Directory, before cutoff: Int64, beyond limit: Int64
    ) throws -> FileTally {
        var files: [RotatedFile] = []
        try collect(directory, [], into: &files)
        files.sort { ($0.modified, $0.path.joined()) < ($1.modified, $1.path.joined()) }
        // Wider than a length, which for a file with holes is whatever somebody set.
        let before = files.reduce(0) { $0 + Int128($1.bytes) }
        var total = before
        var tally = FileTally()
        for file in files where file.modified < settledBefore {
            guard file.modified < cutoff || total > limit else { break }
            try context.checkCancellation()
            if dryRun || remove(file, below: directory) {
                tally.files += 1
                total -= Int128(file.bytes)
            } else {
                tally.failures += 1
            }
        }
        tally.bytes = Int64(clamping: before - total)
        return tally
    }

    private func collect(
        _ directory: borrowing Directory, _ above: [String], into files: inout [RotatedFile]
    ) throws {
        try context.checkCancellation()
        guard let (names, _) = try? directory.names(limit: Self.maximumNames) else {
            context.log(.warning, "cannot list \"\(shown(above))\"; its files stay")
            return
        }
        for name in names {
            guard let status = status(of: name, in: directory) else { continue }
            let path = above + [name]
            switch status.kind {
            case .directory where path.count < Self.maximumDepth:
                guard let below = try? directory.directory(name) else {
                    context.log(.warning, "cannot open \"\(shown(path))\"; its files stay")
                    continue
                }
                try collect(below, path, into: &files)
            case .regular where RotatedName.isRotated(name):
                files.append(
                    RotatedFile(
                        path: path, bytes: status.size,
                        modified: status.modified.components.seconds, device: status.device,
                        inode: status.inode))
            default: continue
            }
        }
    }

    /// Removes the very file that was looked at; false where another stands in its place.
    private func remove(_ file: RotatedFile, below root: borrowing Directory) -> Bool {
        guard let name = file.path.last else { return false }
        guard file.path.count > 1 else { return remove(name, file, in: root) }
        let way = file.path.dropLast().joined(separator: "/")
        guard let parent = try? root.directory(way, by: .parts) else { return false }
        return remove(name, file, in: parent)
    }

    private func remove(
        _ name: String, _ file: RotatedFile, in directory: borrowing Directory
    ) -> Bool {
        guard let status = status(of: name, in: directory), status.device == file.device,
            status.inode == file.inode, status.modified.components.seconds == file.modified
        else {
            context.log(.warning, "\"\(shown(file.path))\" changed meanwhile; it stays")
            return false
        }
        do throws(SystemError) {
            return try directory.remove(name)
        } catch {
            context.log(
                .warning, "cannot remove \"\(shown(file.path))\": \(error.reason)")
            return false
        }
    }

    private func status(of name: String, in directory: borrowing Directory) -> FileStatus? {
        (try? directory.status(of: name)) ?? nil
    }

    private func shown(_ path: [String]) -> String {
        ([root] + path).joined(separator: "/")
    }
}
