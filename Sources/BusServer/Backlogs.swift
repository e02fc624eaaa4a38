// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// What all connections are owed, with the bounds of each and of all together.
///
/// A connection that is owed nothing is not remembered.
struct Backlogs {
    /// What became of a reply or request.
    enum Fate: Equatable {
        /// It waits.
        case kept
        /// There was no room for it; a refusal waits in its place.
        case refused
        /// There is no room for a refusal either; the connection is to be closed now.
        case close(Peer)
        /// Its connection is being closed.
        case dropped
    }

    let limits: BusServer.Limits
    private var backlogs: [[UInt8]: Backlog] = [:]
    /// The connections for which something waits.
    private(set) var waiting: Set<[UInt8]> = []
    /// The bytes of replies that nobody has read.
    private(set) var bytes = 0
    private(set) var refusals = 0

    init(limits: BusServer.Limits) { self.limits = limits }

    var count: Int { backlogs.count }

    /// Takes a request for service, unless its connection has too many already.
    mutating func admit(_ id: [UInt8], _ peer: Peer, bytes: Int) -> Bool {
        // A routing id that a client chose itself can come again.
        if let former = backlogs[id]?.peer, former != peer { forget(id) }
        return change(id, orOf: peer) { [limits] backlog in
            guard !backlog.isFull(limits) else { return false }
            backlog.outstanding += 1
            backlog.outstandingBytes += bytes
            return true
        }
    }

    /// Whether its connection was told to close.
    func isClosed(_ id: [UInt8]) -> Bool { backlogs[id]?.isClosed == true }

    /// Whose connection it is.
    func peer(of id: [UInt8]) -> Peer? { backlogs[id]?.peer }

    /// Whether something waits that a reply must not overtake.
    func isWaiting(_ id: [UInt8]) -> Bool { waiting.contains(id) }

    /// A request that was taken has its reply.
    mutating func answered(_ id: [UInt8], _ peer: Peer, bytes: Int) {
        guard backlogs[id]?.peer == peer else { return }
        change(id, orOf: peer) { backlog in
            backlog.outstanding = max(0, backlog.outstanding - 1)
            backlog.outstandingBytes = max(0, backlog.outstandingBytes - bytes)
        }
    }

    /// Keeps a reply, or a refusal in its place where there is no room.
    mutating func keep(
        _ reply: [[UInt8]], for id: [UInt8], _ peer: Peer, otherwise request: () -> RefusedRequest
    ) -> Fate {
        let isKept = change(id, orOf: peer) { [limits] backlog in
            guard backlog.hasRoom(for: reply.byteCount, limits) else { return false }
            backlog.keep(reply)
            return true
        }
        return isKept ? .kept : refuse(id, peer, request)
    }

    /// Keeps a refusal; where there is no room for that, the connection ends.
    mutating func refuse(
        _ id: [UInt8], _ peer: Peer, _ request: () -> RefusedRequest
    ) -> Fate {
        let hasRoom = refusals < limits.totalRefusals
        return change(id, orOf: peer) { [limits] backlog in
            guard !backlog.isClosed else { return .dropped }
            guard backlog.refusalCount < limits.refusals, hasRoom else {
                backlog.close()
                return .close(backlog.peer)
            }
            backlog.refuse(request())
            return .refused
        }
    }

    /// The frames that a connection waits for; an empty one where it is being closed.
    func next(_ id: [UInt8]) -> [[UInt8]]? {
        guard let backlog = backlogs[id] else { return nil }
        return backlog.isClosed ? [[]] : backlog.next
    }

    /// What `next` gave was sent.
    mutating func sent(_ id: [UInt8]) {
        guard let peer = backlogs[id]?.peer else { return }
        change(id, orOf: peer) { $0.removeNext() }
    }

    /// The connection is gone, and all that it was owed with it.
    mutating func forget(_ id: [UInt8]) {
        waiting.remove(id)
        guard let backlog = backlogs.removeValue(forKey: id) else { return }
        bytes -= backlog.bytes
        refusals -= backlog.refusalCount
    }

    /// The connections of a peer that is gone are forgotten.
    mutating func forget(_ peer: Peer) {
        for (id, backlog) in backlogs where backlog.peer == peer { forget(id) }
    }

    // MARK: - What libzmq holds

    /// Whether libzmq may have a reply of that length as well.
    mutating func mayHand(_ size: Int, to id: [UInt8], isRead: (Peer) -> Bool) -> Bool {
        guard let backlog = backlogs[id], !backlog.handed.isEmpty,
            backlog.handed.bytes + size > limits.handedBytes
        else { return true }
        guard isRead(backlog.peer) else { return false }
        change(id, orOf: backlog.peer) { $0.handed.clear() }
        return true
    }

    /// libzmq took a reply.
    mutating func handed(_ size: Int, to id: [UInt8], _ peer: Peer) {
        guard size >= Handed.least || backlogs[id] != nil else { return }
        change(id, orOf: peer) { [limits] in
            $0.handed.add(size, queueLength: limits.queueLength)
        }
    }

    /// Closes a connection of the client that is owed most, where all are owed too much.
    mutating func closeHeaviest(isRead: (Peer) -> Bool) -> Peer? {
        guard bytes > limits.totalReplyBytes else { return nil }
        for (id, backlog) in backlogs where !backlog.handed.isEmpty && isRead(backlog.peer) {
            change(id, orOf: backlog.peer) { $0.handed.clear() }
        }
        guard bytes > limits.totalReplyBytes else { return nil }
        var owed: [String: Int] = [:]
        for backlog in backlogs.values { owed[backlog.peer.name, default: 0] += backlog.bytes }
        let name = owed.max { ($0.value, $0.key) < ($1.value, $1.key) }?.key
        let heaviest = backlogs.filter { $0.value.peer.name == name }
            .max { ($0.value.bytes, $0.value.peer.serial) < ($1.value.bytes, $1.value.peer.serial) }
        guard let heaviest else { return nil }
        change(heaviest.key, orOf: heaviest.value.peer) { $0.close() }
        return heaviest.value.peer
    }

    /// Changes one backlog, and the sums with it.
    @discardableResult
    private mutating func change<Result>(
        _ id: [UInt8], orOf peer: Peer, _ body: (inout Backlog) -> Result
    ) -> Result {
        // Taken out, so that its queues are not copied.
        var backlog = backlogs.removeValue(forKey: id) ?? Backlog(peer)
        bytes -= backlog.bytes
        refusals -= backlog.refusalCount
        let result = body(&backlog)
        bytes += backlog.bytes
        refusals += backlog.refusalCount
        // One that is closed is still tried by `flush`, which thereby learns that it is gone.
        if backlog.isWaiting || backlog.isClosed {
            waiting.insert(id)
        } else {
            waiting.remove(id)
        }
        if !backlog.isIdle { backlogs[id] = backlog }
        return result
    }
}
