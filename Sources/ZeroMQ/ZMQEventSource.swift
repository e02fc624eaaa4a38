// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CZeroMQ
import Synchronization

/// What libzmq tells of a socket's connections, as its numbers (zmq_socket_monitor(3)).
final class ZMQEventSource {
    /// The socket to poll for `.readable`.
    let socket: ZMQSocket
    private let watched: ZMQSocket

    /// Names end in a number: libzmq gives an endpoint back only after its socket is reaped.
    private static let count = Atomic(0)

    /// Starts to watch `watched` for the events of a mask of `ZMQ_EVENT_...`; `name` says what for.
    init(of watched: ZMQSocket, name: String, mask: Int32) throws(ZeroMQError) {
        self.watched = watched
        let number = Self.count.add(1, ordering: .relaxed).newValue
        let endpoint = "inproc://aico.monitor.\(name).\(number)"
        guard zmq_socket_monitor(watched.pointer, endpoint, mask) == 0 else {
            throw .last("monitor", name)
        }
        socket = try ZMQSocket(.pair, in: watched.context)
        try socket.connect(endpoint)
    }

    deinit { zmq_socket_monitor(watched.pointer, nil, 0) }

    /// Gives the next event's number and value, or nil where there is none.
    func next() throws(ZeroMQError) -> (number: Int32, value: UInt32)? {
        while let frames = try socket.receive() {
            guard let head = frames.first, head.count == 6 else { continue }
            let number = Int32(head[0]) | Int32(head[1]) << 8
            return (number, head[2...].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) })
        }
        return nil
    }
}
