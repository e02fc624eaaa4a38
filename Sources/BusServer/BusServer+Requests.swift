// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import AicoWire
import Glibc
package import ZeroMQ

extension BusServer {
    /// Frames of a request that are looked at; a request has two behind its routing id.
    private static let maximumFrames = 4
    /// How often `flush` goes round while that makes room.
    private static let flushRounds = 32

    /// Takes the next request; nil where none waits, or where another call shall look further.
    ///
    /// libzmq takes from its connections in turn, so a greedy one costs the others one request of
    /// its own for each of theirs. Each request that is given out is to be answered by one `send`.
    package func receive() throws(ZeroMQError) -> (client: Client, frames: [[UInt8]])? {
        var bytes = 0
        for _ in 0..<limits.refusalsAtOnce {
            guard bytes < limits.refusedBytesAtOnce,
                let message = try requests.receiveMessage(maximumFrames: Self.maximumFrames)
            else { return nil }
            guard let routingID = message.frames.first, let peer = Peer(message) else { continue }
            requestDoor.heard(message, from: peer)
            guard let role = clients.role(of: peer.name) else { continue }
            let frames = Array(message.frames.dropFirst())
            let size = frames.byteCount
            if backlogs.admit(routingID, peer, bytes: size) {
                let client = Client(
                    routingID: routingID, name: peer.name, role: role, peer: peer, size: size)
                return (client, frames)
            }
            bytes += size
            finish(backlogs.refuse(routingID, peer) { Self.refused(frames) }, peer)
        }
        return nil
    }

    /// Sends a reply, or keeps it until there is room; one that is too long becomes a refusal.
    package func send(_ reply: BusReply, to client: Client) throws(ZeroMQError) {
        try send(frames: reply.frames, to: client)
    }

    /// Sends a reply that is written already.
    ///
    /// A client chooses its routing id itself, and another one may have taken it over: what the
    /// former asked for is not the latter's.
    package func send(frames: [[UInt8]], to client: Client) throws(ZeroMQError) {
        let id = client.routingID
        guard requestDoor.isThere(client.peer) else { return backlogs.forget(client.peer) }
        var frames = frames
        if let size = frames.map(\.count).max(), size > BusLimits.maximumReplyBytes {
            let request = Self.answered(frames)
            let refusal = BusRefusal(
                code: .tooLarge, message: "the answer has \(size) bytes",
                hint: "ask for less with a limit")
            frames =
                BusReply(id: request.id, topic: request.topic, outcome: .failure(refusal)).frames
        }
        defer { backlogs.answered(id, client.peer, bytes: client.size) }
        if !backlogs.isWaiting(id) {
            switch try transmit(frames, to: id, client.peer) {
            case .sent: return boundAll()
            case .gone: return backlogs.forget(client.peer)
            case .full: break
            }
        }
        finish(
            backlogs.keep(frames, for: id, client.peer) { Self.answered(frames) }, client.peer)
        boundAll()
    }

    /// Ends connections while all together are owed too much, of those who are owed most.
    private func boundAll() {
        while let peer = backlogs.closeHeaviest(isRead: Self.isRead) {
            requestDoor.close(peer)
            incidents.count(
                peer.name, "bus.flood",
                "connections closed that read no replies, when all together waited for too many")
        }
    }

    /// Whether a client has read all that it was sent.
    private static func isRead(_ peer: Peer) -> Bool {
        PeerConnection.unreadBytes(peer.connection) == 0
    }

    /// Sends what waits, as far as there is room.
    package func flush() throws(ZeroMQError) {
        for round in 0..<Self.flushRounds {
            var isMoving = false
            for id in backlogs.waiting {
                if try flush(id) { isMoving = true }
            }
            guard isMoving, !backlogs.waiting.isEmpty else { return }
            // libzmq's thread makes the room; on a busy machine it needs this one's turn.
            if round > 0 { sched_yield() }
        }
    }

    /// Sends what one connection waits for; true where some of it went.
    private func flush(_ id: [UInt8]) throws(ZeroMQError) -> Bool {
        var isMoving = false
        while let frames = backlogs.next(id), let peer = backlogs.peer(of: id),
            backlogs.isWaiting(id)
        {
            switch try transmit(frames, to: id, peer) {
            case .sent:
                // A connection that is being closed is only asked whether it is gone.
                guard !backlogs.isClosed(id) else { return false }
                backlogs.sent(id)
                isMoving = true
            case .full: return isMoving
            case .gone:
                backlogs.forget(id)
                return isMoving
            }
        }
        return isMoving
    }

    private enum Transmission {
        case sent
        case full
        case gone
    }

    private func transmit(
        _ frames: [[UInt8]], to id: [UInt8], _ peer: Peer
    ) throws(ZeroMQError) -> Transmission {
        let size = frames.byteCount
        guard backlogs.mayHand(size, to: id, isRead: Self.isRead) else { return .full }
        do throws(ZeroMQError) {
            guard requestDoor.isThere(peer) else { return .gone }
            switch try requests.send(frames, to: id, where: { requestDoor.isThere(peer) }) {
            case true?: break
            case false?: return .full
            case nil: return .gone
            }
        } catch {
            guard error.code == EHOSTUNREACH else { throw error }
            return .gone
        }
        backlogs.handed(size, to: id, peer)
        return .sent
    }

    private func finish(_ fate: Backlogs.Fate, _ peer: Peer) {
        switch fate {
        case .kept, .refused: return
        case .close(let peer): requestDoor.close(peer)
        case .dropped: break
        }
        incidents.count(
            peer.name, "bus.flood",
            "requests without a reply: the client reads none, its connection is closed")
    }

    /// What a request that is refused needs for its reply; the id is empty where it has none.
    private static func refused(_ frames: [[UInt8]]) -> RefusedRequest {
        do throws(BusMessageError) {
            let request = try BusRequest(frames: frames)
            return RefusedRequest(id: request.id, topic: request.topic)
        } catch {
            return RefusedRequest(id: error.id, topic: error.topic)
        }
    }

    /// Which request a reply is for, whatever its length.
    private static func answered(_ frames: [[UInt8]]) -> RefusedRequest {
        let reply = try? BusReply(frames: frames, maximumBytes: .max)
        let topic = frames.first.map { String(decoding: $0, as: UTF8.self) } ?? ""
        return RefusedRequest(id: reply?.id ?? "", topic: topic)
    }
}
