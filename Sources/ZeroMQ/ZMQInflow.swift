// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CZeroMQ
import Glibc

/// Bounds the bytes that libzmq takes from a connection before a whole message comes of them.
///
/// Counts are the process's own, by descriptor; see inflow.h.
package enum ZMQInflow {
    /// The bytes that all watched connections have sent and nobody took.
    package static var heldBytes: Int { Int(aico_inflow_held()) }

    /// Whether anything is bounded at all: not where another library's recv(2), send(2) or accept4(2)
    /// stands before these.
    package static var works: Bool { aico_inflow_works() && aico_accepted_works() }

    /// Keeps descriptors from this number on back from connections: one that would get such a number
    /// ends as it comes. Where none were left, libzmq would end the process.
    package static func accept(below descriptor: Int) {
        aico_accepted_below(Int32(clamping: descriptor))
    }

    /// Bounds all watched connections together.
    package static func limit(_ bytes: Int) { aico_inflow_limit(Int64(bytes)) }

    /// One connection, as long as its descriptor is its own.
    package struct Connection: Sendable, Hashable {
        private let descriptor: Int32
        /// The kernel's number of the socket (`SO_COOKIE` in socket(7)).
        private let socket: UInt64

        /// Names the socket that has the descriptor now; nil where none has.
        package init?(_ descriptor: Int32) {
            socket = aico_inflow_socket(descriptor)
            guard socket != 0 else { return nil }
            self.descriptor = descriptor
        }

        /// Whether it has its descriptor still: libzmq closes it once the peer is gone.
        package var isThere: Bool { aico_inflow_socket(descriptor) == socket }

        /// Counts it from now on; one that passes `bytes` ends, and one that passes `message` while all
        /// together pass their limit. False where it cannot be watched, or is gone.
        package func watch(bytes: Int, message: Int) -> Bool {
            aico_inflow_watch(descriptor, socket, Int64(bytes), Int64(message))
        }

        /// A message of it was received, which had at most so many bytes on its way.
        package func taken(bytes: Int) { aico_inflow_taken(descriptor, socket, Int64(bytes)) }

        /// Ends it: libzmq, which has no call for that, meets the end of the stream.
        package func shut() {
            if isThere { shutdown(descriptor, Int32(SHUT_RDWR)) }
        }

        /// Forgets one that is gone; true where its bytes were what ended it.
        package func end() -> Bool { aico_inflow_end(descriptor, socket) }
    }
}
