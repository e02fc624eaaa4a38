// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Crypto
import Glibc
package import LinuxSystem
import SystemPackage

/// A file opened part by part, so that no link anywhere on the way is followed.
package struct TrustedFile: ~Copyable {
    private let path: String
    private let descriptor: Descriptor
    /// What stat(2) says of it.
    package let status: FileStatus

    /// Opens what lies under a path for reading, of whatever kind it is.
    package init(_ path: String) throws(SystemError) {
        guard let parts = SafePath.parts(path) else {
            throw SystemError("open", path, .invalidArgument)
        }
        let opened = try Directory.hostRoot().open(
            parts.joined(separator: "/"), flags: O_RDONLY, by: .parts)
        let known: FileStatus
        do throws(Errno) {
            known = try opened.status()
        } catch {
            throw SystemError("examine", path, error)
        }
        self.path = path
        status = known
        descriptor = opened
    }

    /// Whether it is neither directory nor device, pipe or socket.
    package var isRegular: Bool { status.kind == .regular }

    /// Owner, mode, length and hash; only regular files have a content to hash.
    ///
    /// `pause` is called between blocks of the content; what it throws ends the reading.
    package func facts(_ pause: () throws -> Void = {}) throws -> FileFacts {
        var hash = SHA256()
        var count: Int64 = 0
        if isRegular {
            count = try read(limit: .max, pause) { hash.update(data: $0) }
        }
        return FileFacts(
            uid: status.user, gid: status.group, mode: status.rawMode, bytes: count,
            sha256: hash.finalize().reduce(into: "") { text, byte in
                text += String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
            })
    }

    /// All bytes of a small file.
    package func bytes(limit: Int, _ pause: () throws -> Void = {}) throws -> [UInt8] {
        var bytes: [UInt8] = []
        _ = try read(limit: Int64(limit), pause) { bytes += $0 }
        return bytes
    }

    private func read(
        limit: Int64, _ pause: () throws -> Void, _ use: (ArraySlice<UInt8>) -> Void
    ) throws -> Int64 {
        var room = [UInt8](repeating: 0, count: 256 * 1024)
        var total: Int64 = 0
        while true {
            try pause()
            let count: Int
            do throws(Errno) {
                count = try descriptor.read(into: &room)
            } catch {
                throw SystemError("read", path, error)
            }
            if count == 0 { return total }
            use(room[..<count])
            total += Int64(count)
            guard total <= limit else {
                throw SystemError("read", path, .untrusted("it has more than \(limit) bytes"))
            }
        }
    }
}
