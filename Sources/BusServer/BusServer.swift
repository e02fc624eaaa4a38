// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import AicoKeys
package import AicoWire
import Glibc
package import ZeroMQ

/// The bus's server side: requests in, replies and events out, in the caller's own loop.
///
/// No client can make it hold more than `Limits` say, lose a reply without a word, or keep the
/// others waiting: see docs/wire-protocol.md. The loop polls `sockets` for `.readable`, calls
/// `admit`, `acceptSubscriptions` and `receive`, and while `wantsToWrite` comes back within 20 ms to `flush`.
package final class BusServer {
    /// Who sent a request.
    package struct Client: Sendable, Hashable {
        /// The connection, as the requests' socket names it.
        package let routingID: [UInt8]
        /// The name of the client's key file.
        package let name: String
        /// What the client may do.
        package let role: BusRole
        let peer: Peer
        /// The bytes of the request that this came with.
        let size: Int
    }

    /// One place where a socket listens.
    package struct Place: Sendable, ExpressibleByStringInterpolation {
        /// As `ipc:///run/aico/bus/bus.sock`.
        package var endpoint: String
        /// The mode of an ipc socket: whoever may write to it may knock, and its key decides.
        package var mode: UInt32 = 0o666
        /// The gid that an ipc socket is given; nil leaves it as it comes.
        package var group: UInt32?

        /// Names a place.
        package init(_ endpoint: String, mode: UInt32 = 0o666, group: UInt32? = nil) {
            self.endpoint = endpoint
            self.mode = mode
            self.group = group
        }

        /// Names a place where everybody may knock.
        package init(stringLiteral endpoint: String) { self.init(endpoint) }
    }

    /// Where the sockets listen.
    package struct Endpoints: Sendable {
        /// For requests.
        package var requests: [Place]
        /// For subscribers.
        package var events: [Place]

        /// Names the places.
        package init(requests: [Place], events: [Place]) {
            self.requests = requests
            self.events = events
        }
    }

    /// What to poll for `.readable`.
    package var sockets: [ZMQSocket] {
        [zap.socket, requests, events, requestDoor.monitor.socket, eventDoor.monitor.socket]
    }

    let requests: ZMQSocket
    let events: ZMQSocket

    let zap: ZAPHandler
    let limits: Limits
    let clients: AdmittedKeys
    let requestDoor: Door
    let eventDoor: Door
    var backlogs: Backlogs
    var incidents = Incidents()
    var subscribers: SubscriptionCounts
    /// Changes of subscriptions may wait that the last call of `acceptSubscriptions` left.
    var hasUnwelcomed = false
    /// A message that is no subscription came: until all that waits is read, libzmq may apply a
    /// subscription to another connection than the one that sent it.
    var isOutOfStep = false
    /// Whose keys did that lately.
    var violations = Violations()
    var sequence = 0
    var unreadEvents: UnreadEvents

    /// Binds both sockets.
    package init(
        keys: BusKeys, endpoints: Endpoints, limits: Limits = Limits(), context: ZMQContext
    ) throws(ZeroMQError) {
        self.limits = limits
        clients = AdmittedKeys(keys.clients)
        backlogs = Backlogs(limits: limits)
        subscribers = SubscriptionCounts(limits: limits)
        unreadEvents = UnreadEvents(limit: limits.eventBytes)
        zap = try ZAPHandler(in: context)
        requests = try ZMQSocket(.router, in: context)
        // Without it, a reply that finds no room is dropped in silence.
        try requests.setRouterMandatory(true)
        try requests.setMaximumMessageBytes(Int64(limits.frameBytes))
        let queue = Int32(clamping: limits.queueLength)
        try requests.setHighWaterMark(send: queue, receive: queue)
        events = try ZMQSocket(.xpub, in: context)
        try events.setVerboseSubscriptions(true)
        try events.setManualSubscriptions(true)
        try events.setMaximumMessageBytes(Self.subscriptionFrameBytes)
        try events.setHighWaterMark(send: Int32(clamping: limits.events), receive: queue)
        requestDoor = try Door(
            of: requests, limits: limits, inflow: limits.requestInflow,
            message: limits.messageBytes)
        eventDoor = try Door(
            of: events, limits: limits, inflow: Self.subscriptionInflow,
            message: Int(Self.subscriptionFrameBytes) * 8)
        ZMQInflow.limit(limits.totalRequestBytes)
        if !ZMQInflow.works {
            incidents.count(
                "scheduler", "bus.unbounded_messages",
                "start with another library's recv(2) or accept4(2): what never ends is not bounded"
            )
        }
        requestDoor.endpoints = try Self.bind(
            requests, endpoints.requests, keys: keys, domain: Self.requestDomain, zap)
        eventDoor.endpoints = try Self.bind(
            events, endpoints.events, keys: keys, domain: Self.eventDomain, zap)
    }

    private static let requestDomain = "bus.requests"
    private static let eventDomain = "bus.events"

    /// What CURVE's handshake needs at most, with a routing id; a subscription needs less.
    private static let subscriptionFrameBytes: Int64 = 640
    /// More than the changes that a subscriber may send in a burst.
    private static let subscriptionInflow = 512 << 10

    private static func bind(
        _ socket: ZMQSocket, _ places: [Place], keys: BusKeys, domain: String, _ zap: ZAPHandler
    ) throws(ZeroMQError) -> [String] {
        try socket.setHandshakeInterval(.seconds(10))
        try socket.serveCurve(secretKey: keys.server.secretKey, domain: domain, admittedBy: zap)
        var bound: [String] = []
        for place in places {
            try socket.bind(place.endpoint)
            bound.append(try socket.lastEndpoint)
            guard place.endpoint.hasPrefix("ipc://") else { continue }
            let path = String(place.endpoint.dropFirst(6))
            // The group first: the mode is for none that it came with.
            guard place.group.map({ chown(path, .max, $0) == 0 }) ?? true,
                chmod(path, place.mode) == 0
            else {
                throw ZeroMQError(operation: "open", subject: path, code: errno)
            }
        }
        return bound
    }

    /// Answers who asks to enter, a bounded number of them.
    package func admit() throws(ZeroMQError) {
        try watchDoors()
        try zap.serve(limit: limits.admissions) {
            (request) throws(ZeroMQError) -> ZAPHandler.Verdict in
            // Who asks was accepted before: it is watched before it may enter.
            try watchDoors()
            guard let key = request.publicKey, let name = clients.name(of: key) else {
                incidents.count(
                    "unknown", "bus.key_refused", clients.reason(for: request.publicKey))
                return .refused
            }
            let door = request.domain == Self.eventDomain ? eventDoor : requestDoor
            if door === eventDoor, violations.bars(name, at: door.now) {
                incidents.count(
                    name, "bus.subscription_flood",
                    "connections refused soon after something that is no subscription")
                return .unavailable
            }
            if let userID = door.admit(name) { return .admitted(userID) }
            incidents.count(
                name, "bus.too_many_connections",
                "connections refused beyond \(limits.clientConnections) with one key")
            return .unavailable
        }
    }

    private func watchDoors() throws(ZeroMQError) {
        try requestDoor.watch(gone: { backlogs.forget($0) }, fault: count)
        try eventDoor.watch(gone: { unreadEvents.forget($0) }, fault: count)
    }

    private func count(_ fault: Door.Fault, _ name: String) {
        switch fault {
        case .crowd:
            incidents.count(
                name, "bus.too_many_connections",
                "connections closed that had not said whose they are, beyond "
                    + "\(limits.connections) in all")
        case .flood:
            incidents.count(
                name, "bus.endless_message",
                "connections closed that sent more than a message may have before it was complete")
        }
    }

    /// Gives and forgets what clients did wrong: `bus.key_refused`, `bus.too_many_connections`,
    /// `bus.endless_message`, `bus.flood`, `bus.events_unread`, `bus.subscription_refused` and
    /// `bus.subscription_flood`.
    package func takeIncidents() -> [Incident] { incidents.take(at: requestDoor.now) }

    /// True while something waits for room or for another call: come back within 20 ms.
    package var wantsToWrite: Bool {
        hasUnwelcomed || !backlogs.waiting.isEmpty || requestDoor.isBehind || eventDoor.isBehind
    }
}
