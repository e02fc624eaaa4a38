// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import LinuxSystem
import SystemPackage

/// The fork server's end of the socket to its worker: messages of fixed size, no text.
final class ForkServerSocket {
    private let socket: MessageSocket

    init(_ socket: consuming MessageSocket) { self.socket = socket }

    /// For a poll set.
    var descriptor: Int32 { socket.descriptor.number }

    /// What came of a worker.
    enum Received: ~Copyable {
        /// An order with, at most, its task's end of the task socket.
        case order(aico_fork_order, socket: Descriptor?)
        /// An order whose descriptor found no number here: it is lost, the order is not.
        case orderWithoutDescriptor(aico_fork_order)
        case nothing
        /// The worker is gone.
        case closed
        /// Something else than one order.
        case malformed
    }

    /// Takes the next order; never waits.
    func receive() -> Received {
        var order = aico_fork_order()
        do throws(Errno) {
            let received = try socket.receive(into: &order, maximumDescriptors: 1)
            switch consume received {
            case .message(_, var descriptors):
                return .order(
                    order, socket: descriptors.count == 1 ? descriptors.take(0) : nil)
            case .lacksDescriptors: return .orderWithoutDescriptor(order)
            case .nothing: return .nothing
            case .closed: return .closed
            case .malformed: return .malformed
            }
        } catch {
            return .malformed
        }
    }

    /// Sends a report without waiting.
    ///
    /// - Throws: `.wouldBlock` where the worker has to read first; else it is gone.
    func send(_ report: aico_fork_report) throws(Errno) { try socket.send(value: report) }
}
