// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import LinuxSystem
import SystemPackage

/// The worker's end of an attempt's socket: closed with the value, never blocks.
struct AttemptSocket: ~Copyable {
    private let socket: MessageSocket

    init(_ socket: consuming MessageSocket) { self.socket = socket }

    /// For a poll set.
    var descriptor: Int32 { socket.descriptor.number }

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

    /// Leaves the run order in the socket, with what the task writes its output to.
    func send(run order: AttemptOrder, output: Int32, errors: Int32) throws(SetUpFailure) {
        let bytes = OrderCodec.encode(.run(order))
        try SetUpFailure.telling("pass its order") { () throws(Errno) in
            try socket.send(bytes, passing: [output, errors])
        }
    }

    /// Sends an order down; one that finds no room or no reader is dropped.
    func send(_ order: Order) {
        try? socket.send(OrderCodec.encode(order))
    }

    /// Takes the next frame. `buffer` has room for the longest one.
    func receive(_ buffer: inout [UInt8]) -> Received {
        do {
            let received = try socket.receive(into: &buffer)
            switch consume received {
            case .message(let count, _):
                return .frame(try TaskFrameCodec.decode(Array(buffer[..<count])))
            case .nothing: return .nothing
            case .closed: return .closed
            default:
                return .violation(
                    "a frame is longer than \(buffer.count) bytes, or brings descriptors")
            }
        } catch let error as TaskFrameError {
            return .violation(error.description)
        } catch {
            return .closed
        }
    }
}
