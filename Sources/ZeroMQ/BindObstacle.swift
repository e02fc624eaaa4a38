// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc

/// Why nobody could listen at an endpoint now, found without listening.
///
/// libzmq says less: it takes a socket's path away from whoever listens there.
package enum BindObstacle: Equatable {
    /// Another process listens there; its number and user where it can be seen.
    case listener(processID: Int32?, user: UInt32?)
    /// What lies at the path is no socket.
    case file
    /// The kernel refuses it, with this errno.
    case refused(Int32)

    /// Looks at `ipc://PATH` or `tcp://ADDRESS:PORT`; nil where nothing is in the way.
    package static func find(at endpoint: String) -> BindObstacle? {
        if endpoint.hasPrefix("ipc://") { return find(atPath: String(endpoint.dropFirst(6))) }
        if endpoint.hasPrefix("tcp://") { return find(atAddress: endpoint.dropFirst(6)) }
        return nil
    }

    private static func find(atPath path: String) -> BindObstacle? {
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        guard status.st_mode & S_IFMT == S_IFSOCK else { return .file }
        let (listener, process) = Listener.knock(at: "ipc://\(path)")
        switch listener {
        case .open, .full: return .listener(processID: process?.processID, user: process?.user)
        // Left by a process that is gone, or another user's: libzmq makes its own in its place.
        case .missing, .barred: return nil
        }
    }

    /// Binds and lets go, as libzmq binds: only a socket that listens is in the way then.
    private static func find(atAddress text: Substring) -> BindObstacle? {
        let parts = text.split(separator: ":")
        var address = sockaddr_in()
        guard parts.count == 2, let port = UInt16(parts[1]),
            inet_pton(AF_INET, String(parts[0]), &address.sin_addr) == 1
        else { return .refused(EINVAL) }
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        let type = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue
        let descriptor = socket(AF_INET, Int32(type), 0)
        guard descriptor >= 0 else { return .refused(errno) }
        defer { close(descriptor) }
        var isReused: Int32 = 1
        setsockopt(
            descriptor, SOL_SOCKET, SO_REUSEADDR, &isReused,
            socklen_t(MemoryLayout<Int32>.size))
        let (result, code) = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                let result = bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                return (result, errno)
            }
        }
        guard result != 0 else { return nil }
        return code == EADDRINUSE ? .listener(processID: nil, user: nil) : .refused(code)
    }
}
