// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CZeroMQ
import Glibc

/// A ZeroMQ socket; belongs to the thread that made it and holds its context.
///
/// Starts with LINGER 0, so closing it never waits.
package final class ZMQSocket {
    /// The messaging patterns in use.
    package enum Kind: Int32, Sendable, CaseIterable {
        /// `ZMQ_PAIR`.
        case pair = 0
        /// `ZMQ_SUB`.
        case subscriber = 2
        /// `ZMQ_REQ`.
        case request = 3
        /// `ZMQ_REP`.
        case reply = 4
        /// `ZMQ_DEALER`.
        case dealer = 5
        /// `ZMQ_ROUTER`.
        case router = 6
        /// `ZMQ_PULL`.
        case pull = 7
        /// `ZMQ_PUSH`.
        case push = 8
        /// `ZMQ_XPUB`.
        case xpub = 9
        /// `ZMQ_XSUB`.
        case xsub = 10
    }

    /// The pattern it was made with.
    package let kind: Kind
    /// The context that outlives it.
    package let context: ZMQContext
    private let handle: UnsafeMutableRawPointer
    /// How often something was done with the socket, each of which may take its descriptor's news.
    private(set) var uses: UInt64 = 0
    /// Readable once when libzmq has news for the socket (`ZMQ_FD`).
    let descriptor: Int32
    /// For a call of libzmq.
    var pointer: UnsafeMutableRawPointer {
        uses &+= 1
        return handle
    }
    /// Kept alive as long as the socket asks it who may enter; see `serveCurve`.
    var admission: ZAPHandler?

    /// Opens a socket in a context.
    package init(_ kind: Kind, in context: ZMQContext) throws(ZeroMQError) {
        guard let pointer = zmq_socket(context.pointer, kind.rawValue) else {
            throw .last("open socket", "\(kind)")
        }
        self.kind = kind
        self.context = context
        handle = pointer
        var descriptor: Int32 = -1
        var size = MemoryLayout<Int32>.size
        guard zmq_getsockopt(pointer, ZMQ_FD, &descriptor, &size) == 0 else {
            let error = ZeroMQError.last("read descriptor of", "\(kind)")
            zmq_close(pointer)
            throw error
        }
        self.descriptor = descriptor
        try setInteger(ZMQ_LINGER, 0, "linger")
    }

    deinit { zmq_close(handle) }

    /// Listens on an endpoint, as `ipc:///run/aico/bus/bus.sock`.
    package func bind(_ endpoint: String) throws(ZeroMQError) {
        guard untilNoSignal({ zmq_bind(pointer, endpoint) }) else {
            throw .last("bind", endpoint)
        }
    }

    /// Connects to an endpoint; success says nothing yet about the peer.
    package func connect(_ endpoint: String) throws(ZeroMQError) {
        guard untilNoSignal({ zmq_connect(pointer, endpoint) }) else {
            throw .last("connect", endpoint)
        }
    }

    /// Stops listening on an endpoint.
    package func unbind(_ endpoint: String) throws(ZeroMQError) {
        guard untilNoSignal({ zmq_unbind(pointer, endpoint) }) else {
            throw .last("unbind", endpoint)
        }
    }

    /// Drops the connection to an endpoint.
    package func disconnect(_ endpoint: String) throws(ZeroMQError) {
        guard untilNoSignal({ zmq_disconnect(pointer, endpoint) }) else {
            throw .last("disconnect", endpoint)
        }
    }

    /// Waits until the socket is readable, writable, or `timeout` passed; true when it is ready.
    package func wait(
        for events: ZMQEvents = .readable, timeout: Duration?
    ) throws(ZeroMQError) -> Bool {
        var poller = ZMQPoller()
        poller.add(self, events: events, key: 0)
        return try !poller.wait(timeout: timeout).isEmpty
    }
}

/// Whether a call of libzmq that first looks at what its threads have to say succeeds; a signal that
/// comes meanwhile ends it with EINTR before it has done anything.
func untilNoSignal(_ call: () -> Int32) -> Bool {
    while call() != 0 {
        guard zmq_errno() == EINTR else { return false }
    }
    return true
}
