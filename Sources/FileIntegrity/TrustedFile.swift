// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Crypto
public import Glibc

/// Why a file cannot be looked at: what failed, and errno.
public struct FileError: Error, Equatable {
    /// The system's words, or ours.
    public var reason: String
    /// The errno; 0 where the refusal is ours.
    public var code: Int32

    init(_ code: Int32) {
        self.code = code
        reason = String(cString: strerror(code))
    }

    init(reason: String) {
        self.reason = reason
        code = 0
    }

    /// Nothing is there.
    public var isMissing: Bool { code == ENOENT || code == ENOTDIR }
    /// A link stands where a file or directory was.
    public var isLink: Bool { code == ELOOP }
}

/// A file opened part by part, so that no link anywhere on the way is followed.
public struct TrustedFile: ~Copyable {
    /// O_PATH of open(2), which Glibc's module hides.
    private static let pathOnly: Int32 = 0o10_000_000

    private let descriptor: Int32
    /// What stat(2) says of it.
    public let status: stat

    /// Opens a regular file for reading, or with `directory` a directory.
    public init(_ path: String, directory: Bool = false) throws(FileError) {
        guard let parts = SafePath.parts(path), let last = parts.last else {
            throw FileError(EINVAL)
        }
        // The way is passed through, not read: Landlock grants reading only where it ends.
        let way = Self.pathOnly | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
        var current = Glibc.open("/", way)
        guard current >= 0 else { throw FileError(errno) }
        for part in parts.dropLast() {
            let next = openat(current, part, way)
            let code = errno
            close(current)
            guard next >= 0 else { throw FileError(code) }
            current = next
        }
        // Without O_NONBLOCK a FIFO put in a file's place would stop the check.
        let flags =
            directory
            ? O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
            : O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC
        let opened = openat(current, last, flags)
        let code = errno
        close(current)
        guard opened >= 0 else { throw FileError(code) }
        var status = stat()
        guard fstat(opened, &status) == 0 else {
            let code = errno
            close(opened)
            throw FileError(code)
        }
        descriptor = opened
        self.status = status
    }

    deinit { close(descriptor) }

    /// Whether it is neither directory nor device, pipe or socket.
    public var isRegular: Bool { status.st_mode & S_IFMT == S_IFREG }

    /// Owner, mode, length and hash; only regular files have a content to hash.
    ///
    /// `pause` is called between blocks of the content; what it throws ends the reading.
    public func facts(_ pause: () throws -> Void = {}) throws -> FileFacts {
        var hash = SHA256()
        var count: Int64 = 0
        if isRegular {
            count = try read(limit: .max, pause) { hash.update(bufferPointer: $0) }
        }
        return FileFacts(
            uid: status.st_uid, gid: status.st_gid, mode: UInt32(status.st_mode), bytes: count,
            sha256: hash.finalize().reduce(into: "") { text, byte in
                text += String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
            })
    }

    /// All bytes of a small file.
    public func bytes(limit: Int, _ pause: () throws -> Void = {}) throws -> [UInt8] {
        var bytes: [UInt8] = []
        _ = try read(limit: Int64(limit), pause) { bytes += $0 }
        return bytes
    }

    /// Up to `limit` names of a directory with whether each is a directory itself.
    func entries(limit: Int) throws(FileError) -> [(name: String, isDirectory: Bool)] {
        let copy = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0 else { throw FileError(errno) }
        guard let stream = fdopendir(copy) else {
            let code = errno
            close(copy)
            throw FileError(code)
        }
        defer { closedir(stream) }
        var found: [(name: String, isDirectory: Bool)] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                let code = errno
                guard code == 0 else { throw FileError(code) }
                return found.sorted { $0.name < $1.name }
            }
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name == "." || name == ".." { continue }
            guard found.count < limit else {
                throw FileError(reason: "it has more than \(limit) names")
            }
            var status = stat()
            let isKnown = fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0
            found.append((name, isKnown && status.st_mode & S_IFMT == S_IFDIR))
        }
    }

    private func read(
        limit: Int64, _ pause: () throws -> Void, _ use: (UnsafeRawBufferPointer) -> Void
    ) throws -> Int64 {
        var buffer = [UInt8](repeating: 0, count: 256 * 1024)
        var total: Int64 = 0
        while true {
            try pause()
            let count = try buffer.withUnsafeMutableBytes { bytes in
                let count = Glibc.read(descriptor, bytes.baseAddress, bytes.count)
                if count > 0 { use(UnsafeRawBufferPointer(rebasing: bytes[..<count])) }
                if count < 0, errno != EINTR { throw FileError(errno) }
                return count
            }
            if count == 0 { return total }
            total += Int64(max(0, count))
            guard total <= limit else {
                throw FileError(reason: "it has more than \(limit) bytes")
            }
        }
    }
}
