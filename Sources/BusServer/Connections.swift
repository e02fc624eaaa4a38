// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// The connections of one socket, and whose each is.
///
/// libzmq tells which descriptors come and go, and which keys ask to enter, but not which key is
/// behind which descriptor: that is known with a connection's first message. Until then a key's
/// admission counts against it, and neither lasts longer than `patience` where room is short.
struct Connections {
    /// For how long a connection may say nothing while others wait for its place.
    static let patience = Duration.seconds(20)

    private struct Connection {
        var peer: Peer?
        let since: Duration
    }

    private struct Admission {
        let name: String
        let since: Duration
    }

    let limits: BusServer.Limits
    private var connections: [Int32: Connection] = [:]
    /// Those that have not said who they are and are not to end, in no order, and where in it each
    /// stands: one is drawn and taken out of thousands for each that comes.
    private var strangers: [Int32] = []
    private var places: [Int32: Int] = [:]
    /// Those that are to end and have not yet.
    private var leaving: Set<Int32> = []
    private var admissions: [UInt64: Admission] = [:]
    private var counts: [String: Int] = [:]
    private var serial: UInt64 = 0

    init(limits: BusServer.Limits) { self.limits = limits }

    /// All that are there.
    var count: Int { connections.count }
    /// The descriptors of those that said who they are.
    var known: [Peer] { connections.values.compactMap(\.peer) }

    /// Connections of a client, those that were admitted and said nothing yet among them.
    func count(of name: String) -> Int { counts[name] ?? 0 }

    /// A connection was accepted; gives the one that is to end for it, where there is no room.
    ///
    /// One that has not said who it is, drawn by lot: were it the oldest, who knocks fast enough
    /// would keep everybody out.
    mutating func accepted(
        _ descriptor: Int32, at now: Duration, using generator: inout some RandomNumberGenerator
    ) -> Int32? {
        _ = ended(descriptor)
        connections[descriptor] = Connection(peer: nil, since: now)
        places[descriptor] = strangers.count
        strangers.append(descriptor)
        guard connections.count - leaving.count > limits.connections,
            let leaves = strangers.randomElement(using: &generator)
        else { return nil }
        forget(stranger: leaves)
        leaving.insert(leaves)
        return leaves
    }

    private mutating func forget(stranger descriptor: Int32) {
        guard let place = places.removeValue(forKey: descriptor) else { return }
        let last = strangers.removeLast()
        guard last != descriptor else { return }
        strangers[place] = last
        places[last] = place
    }

    /// A key asks to enter; gives the connection's serial, or nil where the key has enough.
    mutating func admit(_ name: String, at now: Duration) -> UInt64? {
        guard count(of: name) < limits.clientConnections else { return nil }
        serial += 1
        admissions[serial] = Admission(name: name, since: now)
        counts[name, default: 0] += 1
        return serial
    }

    /// Gives the connections that have said nothing for too long and are to end, and forgets what
    /// was admitted before them.
    mutating func expire(at now: Duration) -> [Int32] {
        for (serial, admission) in admissions where now - admission.since > Self.patience {
            admissions[serial] = nil
            forget(admission.name)
        }
        return connections.filter { $0.value.peer == nil && now - $0.value.since > Self.patience }
            .keys.sorted()
    }

    /// A message came: from here on it is known whose the connection is.
    ///
    /// False where the connection is gone already, and its descriptor nobody's or another's.
    mutating func spoke(_ peer: Peer) -> Bool {
        guard let descriptor = peer.connection else { return false }
        if connections[descriptor]?.peer?.serial == peer.serial { return true }
        guard let admission = admissions.removeValue(forKey: peer.serial) else { return false }
        guard let connection = connections[descriptor],
            connection.peer.map({ $0.serial < peer.serial }) ?? true
        else {
            forget(admission.name)
            return false
        }
        if let former = connection.peer { forget(former.name) }
        connections[descriptor]?.peer = peer
        forget(stranger: descriptor)
        return true
    }

    /// Whether a descriptor is still that of a peer.
    func holds(_ peer: Peer) -> Bool {
        peer.connection.map { connections[$0]?.peer?.serial == peer.serial } ?? false
    }

    /// A connection ended; gives whose it was, as far as that is known.
    mutating func ended(_ descriptor: Int32) -> Peer? {
        forget(stranger: descriptor)
        leaving.remove(descriptor)
        guard let peer = connections.removeValue(forKey: descriptor)?.peer else { return nil }
        forget(peer.name)
        return peer
    }

    private mutating func forget(_ name: String) {
        let left = count(of: name) - 1
        counts[name] = left > 0 ? left : nil
    }
}
