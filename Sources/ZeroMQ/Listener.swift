// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc

/// Whether somebody listens at an ipc endpoint: libzmq says only that it did not get through.
package enum Listener: Equatable {
    /// Nobody does.
    case missing
    /// Its queue of connections that it did not accept yet is full (EAGAIN of connect(2)).
    case full
    /// Its socket is not for this user (EACCES).
    case barred
    /// It takes connections.
    case open

    /// What a user without rights to the socket is told.
    package static let barredReason = "its socket is not for this user"

    /// Knocks once, without waiting; an endpoint that is no path counts as missing.
    package init(at endpoint: String) { self = Self.knock(at: endpoint).listener }

    /// The process that listens, as SO_PEERCRED of unix(7) has it.
    package struct Process {
        package var processID: Int32
        package var user: UInt32
    }

    /// Knocks once; where it is let in, with who listens.
    package static func knock(at endpoint: String) -> (listener: Listener, process: Process?) {
        let prefix = "ipc://"
        var address = sockaddr_un()
        let path = Array(endpoint.utf8.dropFirst(prefix.utf8.count))
        guard endpoint.hasPrefix(prefix), path.count < MemoryLayout.size(ofValue: address.sun_path)
        else { return (.missing, nil) }
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        let type = SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue
        let descriptor = socket(AF_UNIX, Int32(type), 0)
        guard descriptor >= 0 else { return (.missing, nil) }
        defer { close(descriptor) }
        let length = socklen_t(MemoryLayout<sockaddr_un>.size)
        let (result, code) = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                let result = connect(descriptor, $0, length)
                return (result, errno)
            }
        }
        guard result == 0 else {
            return (code == EAGAIN ? .full : code == EACCES ? .barred : .missing, nil)
        }
        // struct ucred: pid, uid, gid.
        var words: [UInt32] = [0, 0, 0]
        var size = socklen_t(MemoryLayout<UInt32>.size * words.count)
        let isKnown = getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &words, &size) == 0
        return (
            .open,
            isKnown ? Process(processID: Int32(bitPattern: words[0]), user: words[1]) : nil
        )
    }
}
