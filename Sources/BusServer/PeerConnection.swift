// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc

/// Ends a connection that libzmq holds, which has no call for that.
///
/// shutdown(2) leaves the descriptor to libzmq, which meets the end of the stream and gives up
/// all that it kept for the peer.
enum PeerConnection {
    /// Ends a connection, if the descriptor is one of a socket bound to one of the endpoints.
    ///
    /// The number may be another's by now: at worst another client of the same endpoint has to
    /// connect again, which libzmq does by itself.
    static func close(_ descriptor: Int32?, of endpoints: [String]) {
        guard let descriptor, isOne(descriptor, of: endpoints) else { return }
        shutdown(descriptor, Int32(SHUT_RDWR))
    }

    /// Whether a descriptor is a connection to one of the endpoints.
    static func isOne(_ descriptor: Int32, of endpoints: [String]) -> Bool {
        guard let name = localName(descriptor) else { return false }
        return endpoints.contains(where: name.fits)
    }

    /// The bytes that the kernel holds for a peer which has not read them; 0 for one that is gone.
    static func unreadBytes(_ descriptor: Int32?) -> Int {
        var bytes: Int32 = 0
        guard let descriptor, ioctl(descriptor, UInt(TIOCOUTQ), &bytes) == 0 else { return 0 }
        return Int(bytes)
    }

    /// Whether the kernel holds so much for a peer that it takes no more: above a quarter of the
    /// buffer it wakes no writer (unix_writable of the kernel's net/unix/af_unix.c).
    static func isFull(_ descriptor: Int32?) -> Bool {
        var buffer: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        guard let descriptor,
            getsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &buffer, &size) == 0
        else { return false }
        return unreadBytes(descriptor) >= Int(buffer) / 4
    }

    enum LocalName: Equatable {
        case path(String)
        case port(UInt16)

        func fits(_ endpoint: String) -> Bool {
            switch self {
            case .path(let path): endpoint == "ipc://\(path)"
            case .port(let port): endpoint.hasPrefix("tcp://") && endpoint.hasSuffix(":\(port)")
            }
        }
    }

    static func localName(_ descriptor: Int32) -> LocalName? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &storage) { pointer -> LocalName? in
            let bytes = UnsafeMutableRawPointer(pointer)
            guard
                getsockname(descriptor, bytes.assumingMemoryBound(to: sockaddr.self), &length) == 0
            else { return nil }
            switch Int32(pointer.pointee.ss_family) {
            case AF_UNIX:
                let start = MemoryLayout<sa_family_t>.size
                guard Int(length) > start else { return nil }
                let path = UnsafeRawBufferPointer(
                    start: bytes + start, count: Int(length) - start
                ).prefix { $0 != 0 }
                return .path(String(decoding: path, as: UTF8.self))
            case AF_INET, AF_INET6:
                // The port stands at the same place in both.
                return .port(UInt16(bigEndian: bytes.load(fromByteOffset: 2, as: UInt16.self)))
            default: return nil
            }
        }
    }
}
