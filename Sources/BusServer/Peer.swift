// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import ZeroMQ

/// One connection of a client.
struct Peer: Sendable, Hashable {
    /// Counts admissions: no two connections have the same, as descriptors and routing ids may.
    let serial: UInt64
    /// The name of the client's key file.
    let name: String
    /// libzmq's descriptor of the connection.
    let connection: Int32?

    /// The user id under which libzmq admits it, and which comes with each of its messages.
    static func userID(serial: UInt64, name: String) -> String { "\(serial) \(name)" }

    init(serial: UInt64, name: String, connection: Int32?) {
        self.serial = serial
        self.name = name
        self.connection = connection
    }

    /// Reads who sent a message; nil for one that no connection sent.
    init?(_ message: ZMQMessage) {
        self.init(userID: message.userID, connection: message.connection)
    }

    init?(userID: String?, connection: Int32?) {
        guard let text = userID?.utf8, let space = text.firstIndex(of: 0x20),
            let serial = UInt64(Substring(text[..<space]))
        else { return nil }
        let name = String(Substring(text[text.index(after: space)...]))
        self.init(serial: serial, name: name, connection: connection)
    }
}
