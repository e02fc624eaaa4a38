// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc

/// Why a file or directory cannot be used.
struct FileError: Error, Equatable, CustomStringConvertible {
    var path: String
    var reason: String
    var description: String { "cannot use \"\(path)\": \(reason)" }

    init(_ path: String, _ reason: String) {
        self.path = path
        self.reason = reason
    }

    init(_ path: String, code: Int32) {
        self.init(path, String(cString: strerror(code)))
    }
}

/// The open directory of interactions; its files are reached by name and never through a link.
struct InteractionDirectory: ~Copyable {
    /// So many names are looked at.
    static let maximumNames = 10_000

    private let path: String
    private let descriptor: Int32

    init(path: String) throws(FileError) {
        self.path = path
        descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError(path, code: errno) }
    }

    deinit { close(descriptor) }

    /// The names that end in `.jsonl`, sorted, and whether that is all of them.
    func names(limit: Int = maximumNames) throws(FileError) -> (names: [String], isAll: Bool) {
        let copy = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0 else { throw FileError(path, code: errno) }
        guard let stream = fdopendir(copy) else {
            let code = errno
            close(copy)
            throw FileError(path, code: code)
        }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                let code = errno
                guard code == 0 else { throw FileError(path, code: code) }
                return (names.sorted(), true)
            }
            let bytes = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            // A name that is no UTF-8 is none of ours.
            guard let name = String(validating: bytes, as: UTF8.self), name.hasSuffix(".jsonl")
            else { continue }
            guard names.count < limit else { return (names.sorted(), false) }
            names.append(name)
        }
    }

    /// Opens a regular file for reading.
    func open(_ name: String) throws(FileError) -> InteractionFile {
        // Without O_NONBLOCK a FIFO would wait for a writer.
        let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC
        let opened = openat(descriptor, name, flags)
        guard opened >= 0 else {
            let code = errno
            throw code == ELOOP ? FileError(name, "it is a link") : FileError(name, code: code)
        }
        return try InteractionFile(name: name, descriptor: opened)
    }
}

/// An open file of interactions, with the length it had when it was opened.
struct InteractionFile: ~Copyable {
    let name: String
    let inode: UInt64
    let size: Int64
    private let descriptor: Int32

    fileprivate init(name: String, descriptor: Int32) throws(FileError) {
        var status = stat()
        let code = fstat(descriptor, &status) == 0 ? 0 : errno
        guard code == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw code == 0
                ? FileError(name, "it is no regular file") : FileError(name, code: code)
        }
        self.name = name
        self.descriptor = descriptor
        inode = UInt64(status.st_ino)
        size = Int64(status.st_size)
    }

    deinit { close(descriptor) }

    /// Up to `count` bytes from `offset` on, fewer only at the end.
    func read(at offset: Int64, count: Int) throws(FileError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let (got, code) = bytes.withUnsafeMutableBytes { buffer in
                let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
                let got = pread(descriptor, rest.baseAddress, rest.count, Int(offset) + filled)
                return (got, got < 0 ? errno : 0)
            }
            if code == EINTR { continue }
            guard code == 0 else { throw FileError(name, code: code) }
            if got == 0 { break }
            filled += got
        }
        bytes.removeLast(count - filled)
        return bytes
    }

    /// The first bytes in short; nil where there are fewer.
    func head(_ count: Int) throws(FileError) -> FileHead? {
        let bytes = try read(at: 0, count: count)
        return bytes.count == count ? FileHead(bytes) : nil
    }
}
