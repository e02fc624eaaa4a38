// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CZeroMQ

/// Tells what happens to a socket's connections (zmq_socket_monitor(3)).
package final class ZMQMonitor {
    /// What happened; numbers of libzmq that are not listed are left out.
    package enum Event: Sendable, Equatable {
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
    package var socket: ZMQSocket { source.socket }
    private let source: ZMQEventSource

    /// Starts to watch `watched`; to be made before it connects.
    package init(of watched: ZMQSocket, name: String) throws(ZeroMQError) {
        source = try ZMQEventSource(
            of: watched, name: name,
            mask: ZMQ_EVENT_CONNECTED | ZMQ_EVENT_CONNECT_RETRIED | ZMQ_EVENT_DISCONNECTED
                | ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH
                | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL)
    }

    /// Gives the next event, or nil where there is none.
    package func next() throws(ZeroMQError) -> Event? {
        while let (number, value) = try source.next() {
            switch number {
            case ZMQ_EVENT_CONNECTED: return .connected
            case ZMQ_EVENT_CONNECT_RETRIED: return .connectRetried
            case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: return .handshakeSucceeded
            case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH: return .refused(status: Int(value))
            case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL, ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
                return .handshakeFailed(code: Int(value))
            case ZMQ_EVENT_DISCONNECTED: return .disconnected
            default: continue
            }
        }
        return nil
    }
}
