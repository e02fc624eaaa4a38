// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import ZeroMQ

/// The way into one of the bus's sockets: sees who comes and goes, and ends connections.
final class Door {
    /// What a connection did that ended it.
    enum Fault {
        /// It came where there was no room left.
        case crowd
        /// It sent more than it may of a message that is not complete.
        case flood
    }

    /// What one call of `watch` looks at, some 10 ms of work.
    private static let events = 500

    let monitor: ZMQDoorMonitor
    /// What the socket is bound to, wildcards resolved.
    var endpoints: [String] = []
    private(set) var connections: Connections
    /// Those whose bytes are counted, by descriptor.
    private var counted: [Int32: ZMQInflow.Connection] = [:]
    private let inflow: Int
    private let message: Int
    private var generator = SystemRandomNumberGenerator()
    private let began = ContinuousClock.now
    /// Whether there was more to take note of than one call does.
    private(set) var isBehind = false

    /// Watches a socket that is not bound yet; a connection may send `inflow` bytes before the
    /// first of it is taken, and `message` bytes whatever the others do.
    init(
        of socket: ZMQSocket, limits: BusServer.Limits, inflow: Int, message: Int
    ) throws(ZeroMQError) {
        monitor = try ZMQDoorMonitor(of: socket)
        connections = Connections(limits: limits)
        self.inflow = inflow
        self.message = message
    }

    var now: Duration { .now - began }

    /// Takes note of who came and went; gives who is gone, and faults with their client.
    func watch(
        gone: (Peer) -> Void, fault: (Fault, String) -> Void
    ) throws(ZeroMQError) {
        isBehind = true
        for _ in 0..<Self.events {
            guard let event = try monitor.next() else {
                isBehind = false
                return
            }
            switch event {
            case .accepted(let descriptor):
                let leaves = connections.accepted(descriptor, at: now, using: &generator)
                if let leaves {
                    fault(.crowd, "unknown")
                    close(leaves)
                }
                count(descriptor)
            case .ended(let descriptor):
                let peer = connections.ended(descriptor)
                if counted.removeValue(forKey: descriptor)?.end() == true {
                    fault(.flood, peer?.name ?? "unknown")
                }
                if let peer { gone(peer) }
            }
        }
    }

    /// Counts what comes in on a connection, which may be gone already, and its number a connection's of
    /// the other door, that counts it by other bounds.
    private func count(_ descriptor: Int32) {
        guard let connection = ZMQInflow.Connection(descriptor),
            PeerConnection.isOne(descriptor, of: endpoints)
        else { return }
        guard connection.watch(bytes: inflow, message: message) else { return close(descriptor) }
        counted[descriptor] = connection
    }

    /// Admits a client under the user id that is given, or not where it has enough connections.
    func admit(_ name: String) -> String? {
        if let serial = connections.admit(name, at: now) {
            return Peer.userID(serial: serial, name: name)
        }
        for descriptor in connections.expire(at: now) { close(descriptor) }
        return connections.admit(name, at: now).map { Peer.userID(serial: $0, name: name) }
    }

    /// A message was received from a connection.
    func heard(_ message: ZMQMessage, from peer: Peer) {
        guard connections.spoke(peer), let descriptor = peer.connection else { return }
        counted[descriptor]?.taken(bytes: message.bytesOnTheWay)
    }

    /// Whether a client's connection is there at this moment, not only as far as was heard.
    func isThere(_ peer: Peer) -> Bool {
        guard connections.holds(peer), let descriptor = peer.connection else { return false }
        return counted[descriptor]?.isThere ?? false
    }

    /// Ends a client's connection, if it is still there.
    func close(_ peer: Peer) {
        guard connections.holds(peer), let descriptor = peer.connection else { return }
        close(descriptor)
    }

    private func close(_ descriptor: Int32) {
        PeerConnection.close(descriptor, of: endpoints)
    }
}
