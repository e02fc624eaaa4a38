// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CZeroMQ
import Synchronization

/// Tells which connections come and go at a socket that is bound (zmq_socket_monitor(3)).
///
/// To be read often: libzmq's thread waits where some thousand events are not read.
public final class ZMQDoorMonitor {
    /// What happened to the connection with this descriptor.
    public enum Event: Sendable, Equatable {
        /// It was accepted; its handshake follows.
        case accepted(Int32)
        /// It ended; its number may be another's soon.
        case ended(Int32)
    }

    /// The socket to poll for `.readable`.
    public let socket: ZMQSocket
    private let watched: ZMQSocket

    private static let count = Atomic(0)

    /// Starts to watch `watched`; to be made before it is bound.
    public init(of watched: ZMQSocket) throws(ZeroMQError) {
        self.watched = watched
        let number = Self.count.add(1, ordering: .relaxed).newValue
        let endpoint = "inproc://aico.door.\(number)"
        let mask = ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED
        guard zmq_socket_monitor(watched.pointer, endpoint, mask) == 0 else {
            throw .last("monitor", endpoint)
        }
        socket = try ZMQSocket(.pair, in: watched.context)
        try socket.connect(endpoint)
    }

    deinit { zmq_socket_monitor(watched.pointer, nil, 0) }

    /// Gives the next event, or nil where there is none.
    public func next() throws(ZeroMQError) -> Event? {
        while let frames = try socket.receive() {
            guard let head = frames.first, head.count == 6 else { continue }
            let number = Int32(head[0]) | Int32(head[1]) << 8
            let value = head[2...].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            switch number {
            case ZMQ_EVENT_ACCEPTED: return .accepted(Int32(bitPattern: value))
            case ZMQ_EVENT_DISCONNECTED: return .ended(Int32(bitPattern: value))
            default: continue
            }
        }
        return nil
    }
}
