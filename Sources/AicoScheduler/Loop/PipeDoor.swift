// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import ZeroMQ

/// Sees who connects to a socket of a class's pipe, and bounds what libzmq keeps of what it sends.
///
/// A worker has one connection to each socket from its launch to its end. Whoever has its rights can
/// make more, and send messages without end: libzmq bounds neither.
final class PipeDoor {
    /// Connections since the worker's launch; one more is a violation. A scheduler that starts beside
    /// a worker, or a socket that is bound late, costs a second one.
    static let connections = 4

    /// The socket to poll for `.readable`.
    var socket: ZMQSocket { monitor.socket }
    private let monitor: ZMQDoorMonitor
    private let name: String
    private let bytes: Int
    private var counted: [Int32: ZMQInflow.Connection] = [:]
    private var accepted = 0

    /// Watches a socket that is not bound yet; what was sent and not taken may have so many bytes.
    init(of watched: ZMQSocket, name: String, bytes: Int) throws(ZeroMQError) {
        monitor = try ZMQDoorMonitor(of: watched)
        self.name = name
        self.bytes = bytes
    }

    /// Another worker is launched: its connection is its first.
    func beginAnew() { accepted = 0 }

    /// Takes note of who came and went; gives what one of them did that no worker does.
    func watch() throws(ZeroMQError) -> String? {
        var violation: String?
        while let event = try monitor.next() {
            switch event {
            case .accepted(let descriptor):
                accepted += 1
                let connection = ZMQInflow.Connection(descriptor)
                guard accepted <= Self.connections else {
                    violation = "connected to its \(name) \(accepted) times"
                    connection?.shut()
                    continue
                }
                if let connection, connection.watch(bytes: bytes, message: bytes) {
                    counted[descriptor] = connection
                }
            case .ended(let descriptor):
                guard counted.removeValue(forKey: descriptor)?.end() == true else { continue }
                violation = "sent \(bytes) bytes to its \(name) that nobody could take"
            }
        }
        return violation
    }

    /// A message was received.
    func taken(_ message: ZMQMessage) {
        guard let descriptor = message.connection else { return }
        counted[descriptor]?.taken(bytes: message.bytesOnTheWay)
    }
}
