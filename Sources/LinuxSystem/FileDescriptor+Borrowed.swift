// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

internal import Glibc
package import SystemPackage

/// A descriptor that is somebody else's, as standard output: used by the same policy for errno, and
/// never closed. Nothing of it allocates but the arrays that it gives.
extension FileDescriptor {
    /// What fstat(2) says of it.
    package func status() throws(Errno) -> FileStatus {
        var status = Glibc.stat()
        _ = try system(.fstat) { Int(fstat(rawValue, &status)) }
        return FileStatus(status)
    }

    /// Reads what one call gives; 0 at the end.
    package func take(into room: UnsafeMutableRawBufferPointer) throws(Errno) -> Int {
        let count = portion(.read, of: room.count)
        return try system(.read) { Glibc.read(rawValue, room.baseAddress, count) }
    }

    /// Reads what one call gives, at most `most` bytes, into an array that is not zeroed first; empty
    /// at the end.
    package func take(upTo most: Int) throws(Errno) -> [UInt8] {
        var failure: Errno?
        let bytes = [UInt8](unsafeUninitializedCapacity: most) { room, used in
            do throws(Errno) {
                used = try take(into: UnsafeMutableRawBufferPointer(room))
            } catch {
                used = 0
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// Writes what one call takes; gives how many bytes that were.
    package func put(_ bytes: UnsafeRawBufferPointer) throws(Errno) -> Int {
        let count = portion(.write, of: bytes.count)
        return try system(.write) { Glibc.write(rawValue, bytes.baseAddress, count) }
    }

    /// The same of a part of an array.
    package func put(_ bytes: ArraySlice<UInt8>) throws(Errno) -> Int {
        let count = portion(.write, of: bytes.count)
        return try system(.write) {
            bytes.withUnsafeBytes { Glibc.write(rawValue, $0.baseAddress, count) }
        }
    }

    /// All bytes of a file, from its beginning wherever it stands; nil where it has more than
    /// `limit`.
    package func content(limit: Int) throws(Errno) -> [UInt8]? {
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 64 * 1024)
        let room = portion(.pread, of: block.count)
        while bytes.count <= limit {
            let place = bytes.count
            let count = try system(.pread) { Glibc.pread(rawValue, &block, room, place) }
            if count == 0 { return bytes }
            bytes += block[..<count]
        }
        return nil
    }
}
