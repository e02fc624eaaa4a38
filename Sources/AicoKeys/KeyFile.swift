// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc

/// Reads and makes small secret files whose owner and mode are checked.
enum KeyFile {
    /// The mode of every key file: the owner and the security class's group read, nobody writes.
    static let mode: mode_t = 0o440
    /// No key file is longer than this.
    static let maximumBytes = 4096

    /// Reads a file after checking that only its owner, root and its group can see it.
    ///
    /// Returns nil where there is none. A symbolic link is refused: its target's directory might
    /// be somebody else's.
    static func read(_ path: String) throws(KeyError) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            let code = errno
            if code == ENOENT { return nil }
            throw KeyError.file(operation: "open", path: path, errno: code)
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw KeyError.file(operation: "stat", path: path, errno: errno)
        }
        try check(status, path: path)
        var bytes = [UInt8](repeating: 0, count: maximumBytes + 1)
        var count = 0
        while count < bytes.count {
            let got = bytes.withUnsafeMutableBytes { buffer in
                Glibc.read(
                    descriptor, buffer.baseAddress?.advanced(by: count), buffer.count - count)
            }
            if got == 0 { break }
            if got < 0 {
                let code = errno
                if code == EINTR { continue }
                throw KeyError.file(operation: "read", path: path, errno: code)
            }
            count += got
        }
        guard count <= maximumBytes else {
            throw KeyError.malformedFile(path: path, reason: "longer than \(maximumBytes) bytes")
        }
        return Array(bytes[..<count])
    }

    /// Makes a file with all of its bytes, or not at all; returns false where one already stands.
    static func create(_ path: String, bytes: [UInt8]) throws(KeyError) -> Bool {
        // Of its own: another maker's must stay until it is linked.
        let temporary = "\(path).\(UInt64.random(in: 0 ... .max)).new"
        let descriptor = open(
            temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
        guard descriptor >= 0 else {
            throw KeyError.file(operation: "create", path: temporary, errno: errno)
        }
        defer { _ = unlink(temporary) }
        do {
            defer { close(descriptor) }
            // The umask may have taken the group's bit.
            guard fchmod(descriptor, mode) == 0 else {
                throw KeyError.file(operation: "set mode of", path: temporary, errno: errno)
            }
            giveToGroupOfDirectory(descriptor, path: path)
            try writeAll(descriptor, bytes: bytes, path: temporary)
            guard fsync(descriptor) == 0 else {
                throw KeyError.file(operation: "sync", path: temporary, errno: errno)
            }
        }
        // link, unlike rename, never replaces a key that another process made meanwhile.
        guard link(temporary, path) == 0 else {
            let code = errno
            if code == EEXIST { return false }
            throw KeyError.file(operation: "link", path: path, errno: code)
        }
        try syncDirectory(of: path)
        return true
    }

    private static func check(_ status: stat, path: String) throws(KeyError) {
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw KeyError.unsafeFile(path: path, reason: "not a regular file")
        }
        guard status.st_mode & 0o022 == 0 else {
            throw KeyError.unsafeFile(
                path: path, reason: "others may write it; chmod 0440 after checking its content")
        }
        guard status.st_mode & 0o004 == 0 else {
            throw KeyError.unsafeFile(
                path: path, reason: "everybody may read it; make a new key, this one may be known")
        }
        var directory = stat()
        let parent = directoryOf(path)
        guard stat(parent, &directory) == 0 else {
            throw KeyError.file(operation: "stat", path: parent, errno: errno)
        }
        guard directory.st_mode & 0o022 == 0 else {
            throw KeyError.unsafeFile(path: path, reason: "others may write its directory")
        }
        guard status.st_uid == 0 || status.st_uid == directory.st_uid else {
            throw KeyError.unsafeFile(
                path: path, reason: "its owner is uid \(status.st_uid), not the directory's")
        }
    }

    /// Passes the file on to the directory's group where the kernel lets us; without it the file
    /// is readable by fewer, never by more.
    private static func giveToGroupOfDirectory(_ descriptor: Int32, path: String) {
        var directory = stat()
        guard stat(directoryOf(path), &directory) == 0 else { return }
        _ = fchown(descriptor, uid_t.max, directory.st_gid)
    }

    private static func writeAll(_ descriptor: Int32, bytes: [UInt8], path: String)
        throws(KeyError)
    {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                let code = errno
                if code == EINTR { continue }
                throw KeyError.file(operation: "write", path: path, errno: code)
            }
            rest = rest.dropFirst(count)
        }
    }

    private static func syncDirectory(of path: String) throws(KeyError) {
        let parent = directoryOf(path)
        let descriptor = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw KeyError.file(operation: "open", path: parent, errno: errno)
        }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else {
            throw KeyError.file(operation: "sync", path: parent, errno: errno)
        }
    }

    private static func directoryOf(_ path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
