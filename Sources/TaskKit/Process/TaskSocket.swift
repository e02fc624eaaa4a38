// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Glibc

/// The task process's end of its socket to the worker.
///
/// `read` and `write` instead of `recv` and `send`: a SOCK_SEQPACKET socket keeps frames apart
/// with either, and every class's filter permits these two. Writes of several threads do not mix.
struct TaskSocket: TaskChannel {
    /// Room for a run order with the longest config and names.
    private static let longestOrderBytes = AttemptOrder.maximumConfigBytes + 8 * 1024

    let descriptor: Int32

    /// Waits for the run order.
    func receiveOrder() throws(TaskFrameError) -> AttemptOrder {
        var count = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: Self.longestOrderBytes) { buffer, used in
            repeat {
                count = read(descriptor, buffer.baseAddress, buffer.count)
            } while count < 0 && errno == EINTR
            used = max(0, count)
        }
        guard count > 0 else { throw TaskFrameError(description: "no order came") }
        do {
            guard case .run(let order) = try OrderCodec.decode(bytes) else {
                throw TaskFrameError(description: "the first order is not to run")
            }
            return order
        } catch let error as TaskFrameError {
            throw error
        } catch {
            throw TaskFrameError(description: "\(error)")
        }
    }

    func send(_ frame: TaskFrame) {
        let bytes = TaskFrameCodec.encode(frame)
        while write(descriptor, bytes, bytes.count) < 0 {
            let code = errno
            if code == EINTR { continue }
            // The worker is gone, and this process ends with it: nothing left to tell.
            guard code == EAGAIN else { return }
            var item = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            poll(&item, 1, -1)
        }
    }

    /// After the run order only a cancel order follows: that something waits is the message.
    ///
    /// It is left unread, so the descriptor stays readable for every poll loop.
    var isCancelled: Bool {
        var item = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&item, 1, 0) > 0
    }

    var cancellationDescriptor: Int32 { descriptor }
}
