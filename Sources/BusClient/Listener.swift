// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc

/// Whether somebody listens at an ipc endpoint: libzmq says only that it did not get through.
enum Listener: Equatable {
    /// Nobody does.
    case missing
    /// Its queue of connections that it did not accept yet is full (EAGAIN of connect(2)).
    case full
    /// Its socket is not for this user (EACCES).
    case barred
    /// It takes connections.
    case open

    /// What a user without rights to the socket is told.
    static let barredReason = "its socket is not for this user"

    /// Knocks once, without waiting; an endpoint that is no path counts as missing.
    init(at endpoint: String) {
        let prefix = "ipc://"
        var address = sockaddr_un()
        let path = Array(endpoint.utf8.dropFirst(prefix.utf8.count))
        guard endpoint.hasPrefix(prefix), path.count < MemoryLayout.size(ofValue: address.sun_path)
        else {
            self = .missing
            return
        }
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        let type = SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue
        let descriptor = socket(AF_UNIX, Int32(type), 0)
        guard descriptor >= 0 else {
            self = .missing
            return
        }
        defer { close(descriptor) }
        let length = socklen_t(MemoryLayout<sockaddr_un>.size)
        let (result, code) = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                let result = connect(descriptor, $0, length)
                return (result, errno)
            }
        }
        self = result == 0 ? .open : code == EAGAIN ? .full : code == EACCES ? .barred : .missing
    }
}
