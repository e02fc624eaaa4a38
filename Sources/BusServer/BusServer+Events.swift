// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import AicoCore
package import AicoWire
package import ZeroMQ

extension BusServer {
    /// Publishes an event to those who subscribed.
    package func publish(_ topic: BusEventTopic, _ data: JSONValue) throws(ZeroMQError) {
        // Before this one, which nobody can have read right after it.
        closeSlowSubscribers()
        sequence += 1
        let frames = BusEvent(topic: topic.rawValue, sequence: sequence, data: data).frames
        try events.send(frames)
        unreadEvents.count(bytes: frames.byteCount)
    }

    private func closeSlowSubscribers() {
        let slow = unreadEvents.look(at: { eventDoor.connections.known }) {
            PeerConnection.isFull($0.connection)
        }
        for peer in slow {
            incidents.count(
                peer.name, "bus.events_unread",
                "connections closed that did not read their events")
            eventDoor.close(peer)
        }
    }

    /// Applies subscriptions and tells their subscribers; true where more may wait.
    @discardableResult
    package func acceptSubscriptions() throws(ZeroMQError) -> Bool {
        for _ in 0..<limits.subscriptionsAtOnce {
            guard let message = try events.receiveMessage(maximumFrames: 1) else {
                subscribers.settle { eventDoor.connections.holds($0) }
                isOutOfStep = false
                hasUnwelcomed = false
                return false
            }
            try handle(message)
        }
        hasUnwelcomed = true
        return true
    }

    private func handle(_ message: ZMQMessage) throws(ZeroMQError) {
        // Without a connection: libzmq's own notice of what a closed one had.
        guard let peer = Peer(message) else { return }
        eventDoor.heard(message, from: peer)
        let change = SubscriptionChange(message.frames)
        if change == .violation {
            isOutOfStep = true
            // While it is, nobody's subscription can be taken: whose key does that stays out.
            violations.note(peer.name, at: eventDoor.now)
            for other in eventDoor.connections.known where other.name == peer.name {
                eventDoor.close(other)
            }
        }
        switch subscribers.judge(change, by: peer) {
        case .ignore: return
        case .refuse:
            incidents.count(
                peer.name, "bus.subscription_refused", "subscriptions to what no event begins with")
        case .close:
            incidents.count(
                peer.name, "bus.subscription_flood",
                "connections closed that sent too many subscriptions, or something else")
            eventDoor.close(peer)
        case .accept where isOutOfStep:
            // It connects and subscribes again by itself.
            eventDoor.close(peer)
        case .accept: try apply(change)
        }
    }

    private func apply(_ change: SubscriptionChange) throws(ZeroMQError) {
        switch change {
        case .begin(let prefix):
            try events.subscribe(prefix: prefix)
            guard prefix.utf8.starts(with: BusEventTopic.prefix.utf8) else { return }
            sequence += 1
            try events.send(BusEvent.subscribed(prefix: prefix, sequence: sequence).frames)
        case .end(let prefix): try events.unsubscribe(prefix: prefix)
        case .unknown, .nothing, .violation: return
        }
    }
}
