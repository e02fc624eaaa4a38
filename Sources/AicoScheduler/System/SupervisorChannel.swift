// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoWire
import LinuxSystem
import SystemPackage

/// The scheduler's end of the SOCK_SEQPACKET pair with the supervisor.
final class SupervisorChannel {
    /// The descriptor that the supervisor left open for us.
    static let inherited: Int32 = 3

    private let socket: MessageSocket
    private var buffer = [UInt8](repeating: 0, count: SupervisorMessage.size)
    private var isClosed = false

    /// What a read gave.
    enum Event: Equatable {
        case message(SupervisorMessage)
        /// The supervisor is gone, or something else sits at the descriptor.
        case closed
    }

    /// Takes the descriptor over: processes that this one starts do not have it.
    init(owning number: Int32) throws(Errno) {
        socket = MessageSocket(owning: try Descriptor(owning: number).duplicate())
    }

    /// To be watched for messages.
    var descriptor: Int32 { socket.descriptor.number }

    /// Takes the next message; nil where nothing waits.
    func receive() -> Event? {
        if isClosed { return .closed }
        do throws(Errno) {
            switch try socket.receive(into: &buffer) {
            case .nothing: return nil
            case .message(let count, _):
                let message = SupervisorMessage(decoding: Array(buffer.prefix(count)))
                return message.map { .message($0) } ?? .closed
            case .malformed: return .closed
            case .lacksDescriptors: return .closed
            case .closed: return .closed
            }
        } catch {
            return .closed
        }
    }

    /// Sends one message, and never waits: a supervisor that left so many unread that there is no
    /// room for one more is gone.
    func send(_ message: SupervisorMessage) {
        do throws(Errno) {
            try socket.send(message.encoded())
        } catch {
            isClosed = true
        }
    }
}
