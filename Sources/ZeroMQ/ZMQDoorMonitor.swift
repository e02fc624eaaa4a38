// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CZeroMQ

/// Tells which connections come and go at a socket that is bound (zmq_socket_monitor(3)).
///
/// To be read often: libzmq's thread waits where some thousand events are not read.
package final class ZMQDoorMonitor {
    /// What happened to the connection with this descriptor.
    package enum Event: Sendable, Equatable {
        /// It was accepted; its handshake follows.
        case accepted(Int32)
        /// It ended; its number may be another's soon.
        case ended(Int32)
    }

    /// The socket to poll for `.readable`.
    package var socket: ZMQSocket { source.socket }
    private let source: ZMQEventSource

    /// Starts to watch `watched`; to be made before it is bound.
    package init(of watched: ZMQSocket) throws(ZeroMQError) {
        source = try ZMQEventSource(
            of: watched, name: "door", mask: ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED)
    }

    /// Gives the next event, or nil where there is none.
    package func next() throws(ZeroMQError) -> Event? {
        while let (number, value) = try source.next() {
            switch number {
            case ZMQ_EVENT_ACCEPTED: return .accepted(Int32(bitPattern: value))
            case ZMQ_EVENT_DISCONNECTED: return .ended(Int32(bitPattern: value))
            default: continue
            }
        }
        return nil
    }
}
