// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc
import Testing

/// A peer of a class's pipe that speaks ZMTP by hand (ZeroMQ RFC 23), and so breaks its rules.
struct RawPeer: ~Copyable {
    private let descriptor: Int32

    /// Connects to a socket.
    init(_ path: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let length = socklen_t(MemoryLayout<sockaddr_un>.size)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, length)
            }
        }
        try #require(result == 0)
    }

    deinit { close(descriptor) }

    /// Shakes hands as the type of socket that it is given.
    func shakeHands(as type: String) throws {
        let signature: [UInt8] = [0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F]
        let mechanism = Array("NULL".utf8) + [UInt8](repeating: 0, count: 16)
        let greeting = signature + [3, 0] + mechanism + [UInt8](repeating: 0, count: 32)
        let property =
            [11] + Array("Socket-Type".utf8) + [0, 0, 0, UInt8(type.utf8.count)] + Array(type.utf8)
        let ready = [5] + Array("READY".utf8) + property
        try #require(write(greeting + [4, UInt8(ready.count)] + ready))
        // A message before the other side is ready breaks a rule that ends the connection at once.
        let head = try #require(read(greeting.count + 2))
        _ = try #require(read(Int(head[greeting.count + 1])))
    }

    /// Sends frames of a message that never ends until the other side ends the connection, or `most`
    /// bytes; gives how many.
    func sendWithoutEnd(most: Int) -> Int {
        let size = 60_000
        let head = (0..<8).map { UInt8(truncatingIfNeeded: size >> (56 - 8 * $0)) }
        let frame = [3] + head + [UInt8](repeating: 0, count: size)
        var sent = 0
        while sent < most, write(frame) { sent += frame.count }
        return sent
    }

    private func read(_ count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        return Glibc.recv(descriptor, &bytes, count, Int32(MSG_WAITALL)) == count
            ? bytes : nil
    }

    private func write(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }
}
