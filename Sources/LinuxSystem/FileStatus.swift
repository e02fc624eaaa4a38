// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

internal import Glibc
package import SystemPackage

/// What stat(2) says of a file.
package struct FileStatus: Sendable, Equatable {
    /// What kind of file it is.
    package enum Kind: Sendable, Equatable {
        case regular, directory, link, pipe, socket, device
    }

    /// Its kind.
    package let kind: Kind
    /// The uid of its owner.
    package let user: UInt32
    /// The gid of its group.
    package let group: UInt32
    /// Kind and permissions, as st_mode.
    package let rawMode: UInt32
    /// Permission bits with set-user-id, set-group-id and sticky (0o7777).
    package let mode: UInt32
    /// In bytes.
    package let size: Int64
    /// The device of the file system that it is on.
    package let device: UInt64
    /// Its number there.
    package let inode: UInt64
    /// When its content changed last, since the epoch.
    package let modified: Duration

    init(_ status: stat) {
        kind =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .regular
            case S_IFDIR: .directory
            case S_IFLNK: .link
            case S_IFIFO: .pipe
            case S_IFSOCK: .socket
            default: .device
            }
        user = status.st_uid
        group = status.st_gid
        rawMode = status.st_mode
        mode = status.st_mode & 0o7777
        size = Int64(status.st_size)
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        modified = .seconds(status.st_mtim.tv_sec) + .nanoseconds(status.st_mtim.tv_nsec)
    }

    /// What stat(2) says of a path; links are followed, as a program that is started by it would.
    package init(following path: String) throws(Errno) {
        var status = Glibc.stat()
        _ = try system(.stat) { Int(stat(path, &status)) }
        self.init(status)
    }

    /// What lies under a path; a link itself, where its last part is one.
    package init(of path: String) throws(Errno) {
        var status = Glibc.stat()
        _ = try system(.stat) { Int(lstat(path, &status)) }
        self.init(status)
    }

    /// Fails where this process may not execute what a path names (access(2), links followed).
    package static func checkExecutable(_ path: String) throws(Errno) {
        _ = try system(.access) { Int(access(path, X_OK)) }
    }

    /// Whether others than its owner may write to it.
    package var isWritableByOthers: Bool { mode & 0o022 != 0 }
}
