// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

internal import Glibc
package import SystemPackage

/// The socket on which a service manager hears of a service, by the protocol of sd_notify(3).
///
/// It is connected once, so that what is mounted or unmounted later changes nothing.
package struct NotifySocket: ~Copyable, Sendable {
    private let descriptor: Descriptor

    /// Connects to an address as NOTIFY_SOCKET has it: an absolute path, or "@" and a name of the
    /// abstract space.
    ///
    /// - Throws: `.invalidArgument` where it is neither, `.fileNameTooLong` above 107 bytes, and what
    ///   connect(2) says.
    package init(address text: String) throws(Errno) {
        descriptor = try Self.connected(to: text)
    }

    private static func connected(to text: String) throws(Errno) -> Descriptor {
        var name = Array(text.utf8)
        guard name.count > 1, name[0] == UInt8(ascii: "/") || name[0] == UInt8(ascii: "@"),
            !name.contains(0)
        else { throw .invalidArgument }
        if name[0] == UInt8(ascii: "@") { name[0] = 0 }
        var address = sockaddr_un()
        // A path needs its end's zero, which a name must not have.
        guard name.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw .fileNameTooLong
        }
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        let head = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 2
        let size = socklen_t(head + name.count + (name[0] == 0 ? 0 : 1))
        let kind = CInt(
            SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let descriptor = try Descriptor(.socket) { socket(AF_UNIX, kind, 0) }
        let number = descriptor.number
        _ = try system(.connect) {
            withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    Int(connect(number, $0, size))
                }
            }
        }
        return descriptor
    }

    /// Sends one message of assignments, a line each, without waiting.
    package func send(_ assignments: [String]) throws(Errno) {
        let bytes = Array(assignments.joined(separator: "\n").utf8)
        let number = descriptor.number
        _ = try system(.send) { Glibc.send(number, bytes, bytes.count, CInt(MSG_NOSIGNAL)) }
    }
}
