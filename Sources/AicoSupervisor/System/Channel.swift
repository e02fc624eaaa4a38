// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import LinuxSystem
import SystemPackage

/// The supervisor's end of the SOCK_SEQPACKET pair.
final class Channel {
    private let socket: MessageSocket

    init(_ socket: consuming MessageSocket) { self.socket = socket }

    /// For a poll set.
    var descriptor: Int32 { socket.descriptor.number }

    /// Sends one message without blocking; false where the other side does not read.
    func send(_ message: SupervisorMessage) -> Bool {
        (try? socket.send(message.encoded())) != nil
    }

    /// Takes the next message or violation; nil where nothing waits.
    func receive() -> SupervisorEvent? {
        var buffer = [UInt8](repeating: 0, count: SupervisorMessage.size)
        do throws(Errno) {
            let received = try socket.receive(into: &buffer)
            switch consume received {
            case .message(let count, _):
                guard let message = SupervisorMessage(decoding: Array(buffer[..<count])) else {
                    return .violation(.undecodable)
                }
                return .message(message)
            case .nothing: return nil
            case .closed: return .violation(.closed)
            default: return .violation(.undecodable)
            }
        } catch {
            return .violation(.closed)
        }
    }
}
