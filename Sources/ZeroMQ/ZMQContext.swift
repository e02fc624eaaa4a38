// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CZeroMQ
import Glibc

/// Owns libzmq's I/O threads; its sockets hold it, so it ends after the last of them.
///
/// Starts threads: a process that forks children must do so before it makes one.
package final class ZMQContext: @unchecked Sendable {
    // Safe to share: zmq_ctx_new(3) says contexts are thread-safe, and the pointer never changes.
    let pointer: UnsafeMutableRawPointer

    /// Starts a context. `maximumMessageBytes` bounds every frame of every socket, 0 for no bound.
    package init(ioThreads: Int32 = 1, maximumMessageBytes: Int32 = 0) throws(ZeroMQError) {
        // libzmq draws a ROUTER's first routing id from rand(3) and never seeds it; it aborts where
        // a later one meets an id that a client took before it, which nobody may be able to guess.
        srand(.random(in: .min ... .max))
        guard let pointer = zmq_ctx_new() else { throw .last("create context", "") }
        self.pointer = pointer
        zmq_ctx_set(pointer, ZMQ_IO_THREADS, ioThreads)
        // Without this, closing sockets and ending the context waits for unsent messages.
        zmq_ctx_set(pointer, ZMQ_BLOCKY, 0)
        if maximumMessageBytes > 0 {
            zmq_ctx_set(pointer, ZMQ_MAX_MSGSZ, maximumMessageBytes)
        }
    }

    deinit {
        // EINTR leaves the context alive; every socket is closed already, so this ends soon.
        while zmq_ctx_term(pointer) != 0, zmq_errno() == EINTR {}
    }
}
