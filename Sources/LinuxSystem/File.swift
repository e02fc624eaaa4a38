// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

internal import Glibc
internal import SystemPackage

/// A regular file that is open: never a pipe or a device that was put in its place.
package struct File: ~Copyable, Sendable {
    /// A name for messages; nothing is opened by it again.
    package let path: String
    /// Its descriptor.
    package let descriptor: Descriptor
    /// As it was when it was opened.
    package let status: FileStatus

    init(_ descriptor: consuming Descriptor, path: String) throws(SystemError) {
        let status = try naming("examine", path) { () throws(Errno) in
            try descriptor.status()
        }
        guard status.kind == .regular else {
            throw SystemError("use", path, .untrusted("it is no regular file"))
        }
        self.path = path
        self.descriptor = descriptor
        self.status = status
    }

    /// Opens a file for reading by its path.
    ///
    /// - Parameter isLinkFollowed: whether the last part may be a link: where root alone writes.
    package init(reading path: String, followingLink isLinkFollowed: Bool = false)
        throws(SystemError)
    {
        let flags = O_RDONLY | Directory.fileFlags & ~(isLinkFollowed ? O_NOFOLLOW : 0)
        let opened = try naming("open", path) { () throws(Errno) in
            try Descriptor(.open) { Glibc.open(path, flags) }
        }
        try self.init(opened, path: path)
    }

    /// The text of a small file, as one of proc(5); nil where it cannot be read or is longer.
    package static func text(_ path: String, limit: Int = 64 * 1024) -> String? {
        guard let bytes = try? File(reading: path).bytes(limit: limit) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The first bytes of a file as text, as of one of proc(5); nil where it cannot be read.
    package static func beginning(of path: String, bytes: Int) -> String? {
        guard let bytes = try? File(reading: path).bytes(at: 0, count: bytes) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// All bytes; a file of more than `limit` is refused, also one that grows while it is read.
    package func bytes(limit: Int) throws(SystemError) -> [UInt8] {
        var bytes: [UInt8] = []
        try read(block: 16 * 1024) { (block) throws(SystemError) in
            guard bytes.count + block.count <= limit else {
                throw SystemError("read", path, .untrusted("it has more than \(limit) bytes"))
            }
            bytes += block
        }
        return bytes
    }

    /// Gives the content from where the file stands, in blocks of at most `block` bytes.
    package func read(
        block: Int = 256 * 1024, _ use: (ArraySlice<UInt8>) throws(SystemError) -> Void
    ) throws(SystemError) {
        var room = [UInt8](repeating: 0, count: block)
        while true {
            let count: Int
            do throws(Errno) {
                count = try descriptor.read(into: &room)
            } catch {
                throw SystemError("read", path, error)
            }
            if count == 0 { return }
            try use(room[..<count])
        }
    }

    /// Up to `count` bytes from `offset` on, fewer only at the end.
    package func bytes(at offset: Int64, count: Int) throws(SystemError) -> [UInt8] {
        let number = descriptor.number
        var failure: Errno?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, used in
            used = 0
            while used < count {
                let from = used
                do throws(Errno) {
                    let part = portion(.pread, of: count - from)
                    let got = try system(.pread) {
                        pread(
                            number, buffer.baseAddress.map { $0 + from }, part, Int(offset) + from)
                    }
                    if got == 0 { return }
                    used += got
                } catch {
                    failure = error
                    return
                }
            }
        }
        if let failure { throw SystemError("read", path, failure) }
        return bytes
    }
}
