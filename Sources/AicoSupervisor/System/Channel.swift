// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Glibc

/// The supervisor's end of the SOCK_SEQPACKET pair.
struct Channel {
    let descriptor: OwnedDescriptor

    /// Makes a pair: our end, and the one that becomes the scheduler's descriptor 3.
    static func pair() throws(SupervisorError) -> (ours: Channel, theirs: OwnedDescriptor) {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else {
            throw .system("make", "supervisor channel")
        }
        return (Channel(descriptor: OwnedDescriptor(ends[0])), OwnedDescriptor(ends[1]))
    }

    /// Sends one message without blocking; false where the other side does not read.
    func send(_ message: SupervisorMessage) -> Bool {
        let bytes = message.encoded()
        let flags = Int32(MSG_DONTWAIT | MSG_NOSIGNAL)
        return Glibc.send(descriptor.number, bytes, bytes.count, flags) == bytes.count
    }

    /// Takes the next message or violation; nil where nothing waits.
    func receive() -> SupervisorEvent? {
        // One byte more than a message, so that a longer one shows.
        var buffer = [UInt8](repeating: 0, count: SupervisorMessage.size + 1)
        let count = recv(descriptor.number, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        if count < 0 {
            let code = lastErrno()
            return code == EAGAIN || code == EINTR ? nil : .violation(.closed)
        }
        if count == 0 { return .violation(.closed) }
        guard let message = SupervisorMessage(decoding: Array(buffer[..<count])) else {
            return .violation(.undecodable)
        }
        return .message(message)
    }
}
