// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import CLinux
import Glibc

/// The task process's end of its socket to the worker.
///
/// `write` instead of `send`: a SOCK_SEQPACKET socket keeps frames apart with either, and writes of
/// several threads do not mix.
struct TaskSocket: TaskChannel {
    /// Room for a run order with the longest config and names.
    private static let longestOrderBytes = AttemptOrder.maximumConfigBytes + 8 * 1024

    let descriptor: Int32

    /// Waits for the run order, and puts what comes with it in the place of standard output and
    /// error.
    func receiveOrder() throws(TaskFrameError) -> AttemptOrder {
        var (output, errors): (Int32, Int32) = (-1, -1)
        let bytes = [UInt8](unsafeUninitializedCapacity: Self.longestOrderBytes) { buffer, used in
            used = max(
                0,
                aico_order_receive(
                    descriptor, buffer.baseAddress, buffer.count, &output, &errors))
        }
        guard !bytes.isEmpty else { throw TaskFrameError(description: "no order came") }
        guard output < 0 || aico_adopt_output(output, errors) == 0 else {
            throw TaskFrameError(description: "its output cannot be put in place")
        }
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

    var outputDescriptor: Int32 { STDOUT_FILENO }

    var errorDescriptor: Int32 { STDERR_FILENO }
}
