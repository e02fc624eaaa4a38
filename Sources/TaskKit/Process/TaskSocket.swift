// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// The task process's end of its socket to the worker; used by every thread of the task.
final class TaskSocket: TaskChannel {
    /// Room for a run order with the longest config and names.
    private static let longestOrderBytes = AttemptOrder.maximumConfigBytes + 8 * 1024

    private let socket: MessageSocket

    init(_ socket: consuming MessageSocket) { self.socket = socket }

    var descriptor: Int32 { socket.descriptor.number }

    /// Waits for the run order, and puts what comes with it in the place of standard output and
    /// error.
    func receiveOrder() throws(TaskFrameError) -> AttemptOrder {
        var bytes: [UInt8] = []
        do {
            let received = try socket.receive(
                into: &bytes, upTo: Self.longestOrderBytes, maximumDescriptors: 2, isPatient: true)
            guard case .message(_, var passed) = consume received, !bytes.isEmpty else {
                throw TaskFrameError(description: "no order came")
            }
            if passed.count > 0 {
                guard passed.count == 2 else {
                    throw TaskFrameError(description: "half of its output came")
                }
                let output = passed.take(0)
                let errors = passed.take(1)
                guard aico_adopt_output(output.number, errors.number) == 0 else {
                    throw TaskFrameError(description: "its output cannot be put in place")
                }
            }
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
        while true {
            do throws(Errno) {
                return try socket.send(bytes)
            } catch {
                // Else the worker is gone, and this process ends with it: nothing left to tell.
                guard error == .wouldBlock else { return }
                var room = PollSet()
                room.add(descriptor, .writable)
                // Where poll(2) is refused, it looks again in a while.
                if (try? room.wait(for: nil)) == nil { usleep(10_000) }
            }
        }
    }

    /// After the run order only a cancel order follows: that something waits is the message.
    ///
    /// It is left unread, so the descriptor stays readable for every poll loop.
    var isCancelled: Bool {
        var waiting = PollSet()
        waiting.add(descriptor)
        return (try? waiting.wait(for: .zero)) != 0
    }

    var cancellationDescriptor: Int32 { descriptor }

    var outputDescriptor: Int32 { STDOUT_FILENO }

    var errorDescriptor: Int32 { STDERR_FILENO }
}
