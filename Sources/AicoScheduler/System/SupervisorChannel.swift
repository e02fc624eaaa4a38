// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Glibc

/// The scheduler's end of the SOCK_SEQPACKET pair with the supervisor.
struct SupervisorChannel {
    /// The descriptor that the supervisor left open for us.
    static let inherited: Int32 = 3

    let descriptor: Int32

    /// What a read gave.
    enum Event: Equatable {
        case message(SupervisorMessage)
        /// The supervisor is gone, or something else sits at the descriptor.
        case closed
    }

    /// Takes the next message; nil where nothing waits.
    func receive() -> Event? {
        var buffer = [UInt8](repeating: 0, count: SupervisorMessage.size + 1)
        while true {
            let count = recv(
                descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            if count < 0 {
                let code = errno
                if code == EINTR { continue }
                return code == EAGAIN ? nil : .closed
            }
            guard count > 0, let message = SupervisorMessage(decoding: Array(buffer[..<count]))
            else { return .closed }
            return .message(message)
        }
    }

    /// Closes the channel in processes that this one starts: it is for nobody else.
    func keepFromChildren() { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }

    /// Sends one message; false where the supervisor is gone.
    @discardableResult
    func send(_ message: SupervisorMessage) -> Bool {
        let bytes = message.encoded()
        while Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) < 0 {
            guard errno == EINTR else { return false }
        }
        return true
    }
}
