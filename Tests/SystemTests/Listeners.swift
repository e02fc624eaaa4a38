// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc

/// Listeners of the host: on loopback, with an abstract name, and at a path.
final class Listeners {
    let port: UInt16
    let abstractName: String
    let path: String
    private let sockets: [Int32]
    private let directory: String

    init() throws {
        directory = try temporaryDirectory("listeners")
        path = "\(directory)/socket"
        abstractName = "aico-listener-\(getpid())"
        let tcp = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(tcp, $0, length) == 0 && getsockname(tcp, $0, &length) == 0
            }
        }
        guard bound else { throw HostError(step: "bind loopback", errno: errno) }
        port = UInt16(bigEndian: address.sin_port)
        sockets = [
            tcp, try Self.listener(name: Array(path.utf8)),
            try Self.listener(name: [0] + Array(abstractName.utf8)),
        ]
        for descriptor in sockets {
            guard listen(descriptor, 8) == 0 else { throw HostError(step: "listen", errno: errno) }
            _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        }
        chmod(path, 0o777)
    }

    private static func listener(name: [UInt8]) throws -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
        }
        guard bound == 0 else { throw HostError(step: "bind", errno: errno) }
        return descriptor
    }

    /// How many connections came in.
    var accepted: Int {
        var count = 0
        for descriptor in sockets {
            while true {
                let connection = accept(descriptor, nil, nil)
                guard connection >= 0 else { break }
                close(connection)
                count += 1
            }
        }
        return count
    }

    deinit {
        for descriptor in sockets { close(descriptor) }
        removeTree(directory)
    }
}
