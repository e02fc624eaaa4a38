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
        case close(Int32?)
        /// Its connection is being closed.
        case dropped
    }

    let limits: BusServer.Limits
    private var backlogs: [[UInt8]: Backlog] = [:]
    /// The connections for which something waits.
    private(set) var waiting: Set<[UInt8]> = []
    private(set) var bytes = 0
    private(set) var refusals = 0

    init(limits: BusServer.Limits) { self.limits = limits }

    var count: Int { backlogs.count }

    /// Takes a request for service, unless its connection has too many already.
    mutating func admit(_ id: [UInt8], connection: Int32?) -> Bool {
        var backlog = backlogs[id] ?? Backlog(connection: connection)
        guard !backlog.isFull(limits) else { return false }
        backlog.outstanding += 1
        backlogs[id] = backlog
        return true
    }

    /// Whether its connection was told to close.
    func isClosed(_ id: [UInt8]) -> Bool { backlogs[id]?.isClosed == true }

    /// Whether something waits that a reply must not overtake.
    func isWaiting(_ id: [UInt8]) -> Bool { waiting.contains(id) }

    /// A request that was taken has its reply.
    mutating func answered(_ id: [UInt8]) {
        guard let outstanding = backlogs[id]?.outstanding, outstanding > 0 else { return }
        backlogs[id]?.outstanding = outstanding - 1
        forgetIfIdle(id)
    }

    /// Keeps a reply, or a refusal in its place where there is no room.
    mutating func keep(
        _ reply: [[UInt8]], for id: [UInt8], otherwise request: () -> RefusedRequest
    ) -> Fate {
        var backlog = backlogs.removeValue(forKey: id) ?? Backlog(connection: nil)
        let size = reply.byteCount
        guard backlog.hasRoom(for: size, limits), bytes + size <= limits.totalReplyBytes else {
            backlogs[id] = backlog
            return refuse(id, connection: backlog.connection, request)
        }
        backlog.keep(reply)
        backlogs[id] = backlog
        bytes += size
        waiting.insert(id)
        return .kept
    }

    /// Keeps a refusal; where there is no room for that, the connection ends.
    mutating func refuse(
        _ id: [UInt8], connection: Int32?, _ request: () -> RefusedRequest
    ) -> Fate {
        var backlog = backlogs.removeValue(forKey: id) ?? Backlog(connection: connection)
        defer { backlogs[id] = backlog }
        guard !backlog.isClosed else { return .dropped }
        guard backlog.refusalCount < limits.refusals, refusals < limits.totalRefusals else {
            bytes -= backlog.bytes
            refusals -= backlog.refusalCount
            backlog.close()
            // Still tried by `flush`, which thereby learns that the connection is gone.
            waiting.insert(id)
            return .close(backlog.connection)
        }
        backlog.refuse(request())
        refusals += 1
        waiting.insert(id)
        return .refused
    }

    /// The frames that a connection waits for; an empty one where it is being closed.
    func next(_ id: [UInt8]) -> [[UInt8]]? {
        guard let backlog = backlogs[id] else { return nil }
        return backlog.isClosed ? [[]] : backlog.next
    }

    /// What `next` gave was sent.
    mutating func sent(_ id: [UInt8]) {
        guard var backlog = backlogs.removeValue(forKey: id) else { return }
        bytes -= backlog.bytes
        refusals -= backlog.refusalCount
        backlog.removeNext()
        bytes += backlog.bytes
        refusals += backlog.refusalCount
        backlogs[id] = backlog
        if !backlog.isWaiting, !backlog.isClosed { waiting.remove(id) }
        forgetIfIdle(id)
    }

    /// The connection is gone, and all that it was owed with it.
    mutating func forget(_ id: [UInt8]) {
        waiting.remove(id)
        guard let backlog = backlogs.removeValue(forKey: id) else { return }
        bytes -= backlog.bytes
        refusals -= backlog.refusalCount
    }

    private mutating func forgetIfIdle(_ id: [UInt8]) {
        if backlogs[id]?.isIdle == true { backlogs[id] = nil }
    }
}
