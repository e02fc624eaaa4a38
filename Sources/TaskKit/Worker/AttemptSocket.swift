// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import CLinux
import Glibc

/// The worker's end of an attempt's socket: closed with the value, never blocks.
struct AttemptSocket: ~Copyable {
    let descriptor: Int32

    /// What a read gave.
    enum Received {
        /// One frame.
        case frame(TaskFrame)
        /// A frame that breaks a rule.
        case violation(String)
        /// Nothing now.
        case nothing
        /// The task closed its end.
        case closed
    }

    /// Opens a pair and keeps one end; the caller closes `taskEnd` once it is passed on.
    init(taskEnd: inout Int32) throws(SetUpFailure) {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_SEQPACKET.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else {
            throw SetUpFailure(errno: errno, detail: "make its socket")
        }
        descriptor = ends[0]
        taskEnd = ends[1]
    }

    deinit { close(descriptor) }

    /// Leaves the run order in the socket, with what the task writes its output to.
    func send(run order: AttemptOrder, output: Int32, errors: Int32) throws(SetUpFailure) {
        let bytes = OrderCodec.encode(.run(order))
        guard aico_order_send(descriptor, bytes, bytes.count, output, errors) == 0 else {
            throw SetUpFailure(errno: errno, detail: "pass its order")
        }
    }

    /// Sends an order down; one that finds no room or no reader is dropped.
    func send(_ order: Order) {
        let bytes = OrderCodec.encode(order)
        let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
        while Glibc.send(descriptor, bytes, bytes.count, flags) < 0, errno == EINTR {}
    }

    /// Takes the next frame. `buffer` has room for the longest one.
    func receive(_ buffer: inout [UInt8]) -> Received {
        // MSG_TRUNC: the true length of a frame that is longer than the buffer. Descriptors that
        // come along are closed by the kernel, as there is no room for control messages.
        let flags = Int32(MSG_DONTWAIT) | Int32(MSG_TRUNC)
        var count = 0
        var code: Int32 = 0
        repeat {
            count = recv(descriptor, &buffer, buffer.count, flags)
            code = errno
        } while count < 0 && code == EINTR
        guard count >= 0 else { return code == EAGAIN ? .nothing : .closed }
        guard count > 0 else { return .closed }
        guard count <= buffer.count else {
            return .violation("a frame is longer than \(buffer.count) bytes")
        }
        do {
            return .frame(try TaskFrameCodec.decode(Array(buffer[..<count])))
        } catch {
            return .violation(error.description)
        }
    }
}
