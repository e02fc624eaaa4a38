// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CZeroMQ
import Synchronization

/// Tells what happens to a socket's connections (zmq_socket_monitor(3)).
public final class ZMQMonitor {
    /// What happened; numbers of libzmq that are not listed are left out.
    public enum Event: Sendable, Equatable {
        /// The transport is connected; the handshake follows.
        case connected
        /// The peer could not be reached; libzmq tries again by itself.
        case connectRetried
        /// The handshake is complete and the peer admitted.
        case handshakeSucceeded
        /// The peer's ZAP handler refused us, with this ZAP status.
        case refused(status: Int)
        /// The handshake failed in another way: a wrong server key, no CURVE, or a peer that ended.
        case handshakeFailed(code: Int)
        /// An established connection was lost.
        case disconnected
    }

    /// The socket to poll for `.readable`.
    public let socket: ZMQSocket
    private let watched: ZMQSocket

    /// Names end in a number: libzmq gives an endpoint back only after its socket is reaped.
    private static let count = Atomic(0)

    /// Starts to watch `watched`; to be made before it connects.
    public init(of watched: ZMQSocket, name: String) throws(ZeroMQError) {
        self.watched = watched
        let number = Self.count.add(1, ordering: .relaxed).newValue
        let endpoint = "inproc://aico.monitor.\(name).\(number)"
        let mask =
            ZMQ_EVENT_CONNECTED | ZMQ_EVENT_CONNECT_RETRIED | ZMQ_EVENT_DISCONNECTED
            | ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH
            | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL
        guard zmq_socket_monitor(watched.pointer, endpoint, mask) == 0 else {
            throw .last("monitor", name)
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
            let value = head[2...].reversed().reduce(Int(0)) { $0 << 8 | Int($1) }
            switch number {
            case ZMQ_EVENT_CONNECTED: return .connected
            case ZMQ_EVENT_CONNECT_RETRIED: return .connectRetried
            case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: return .handshakeSucceeded
            case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH: return .refused(status: value)
            case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL, ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
                return .handshakeFailed(code: value)
            case ZMQ_EVENT_DISCONNECTED: return .disconnected
            default: continue
            }
        }
        return nil
    }
}
