// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

public import AicoKeys
public import AicoWire
import Glibc
public import ZeroMQ

/// The bus's server side: requests in, replies and events out, in the caller's own loop.
///
/// No client can make it hold more than `Limits` say, lose a reply without a word, or keep the
/// others waiting: see docs/wire-protocol.md. The loop polls `admission`, `requests` and `events`
/// for `.readable`, calls `admit`, `welcome` and `receive`, and while `wantsToWrite` comes back
/// within 20 ms to `flush`.
public final class BusServer {
    /// Who sent a request.
    public struct Client: Sendable, Hashable {
        /// The connection, as the requests' socket names it.
        public let routingID: [UInt8]
        /// The name of the client's key file.
        public let name: String
        /// What the client may do.
        public let role: BusRole
    }

    /// Where the sockets listen.
    public struct Endpoints: Sendable {
        /// For requests.
        public var requests: [String]
        /// For subscribers.
        public var events: [String]

        /// Names the endpoints, as `ipc:///run/aico/bus/bus.sock`.
        public init(requests: [String], events: [String]) {
            self.requests = requests
            self.events = events
        }
    }

    /// The socket of those who ask to enter.
    public var admission: ZMQSocket { zap.socket }
    /// The socket of requests and replies.
    public let requests: ZMQSocket
    /// The socket of subscriptions and events.
    public let events: ZMQSocket

    let zap: ZAPHandler
    let limits: Limits
    let clients: AdmittedKeys
    /// What the sockets are bound to, wildcards resolved.
    let requestEndpoints: [String]
    let eventEndpoints: [String]
    var backlogs: Backlogs
    var incidents = Incidents()
    var subscribers: SubscriptionCounts
    /// Changes of subscriptions may wait that the last call of `welcome` left.
    var hasUnwelcomed = false
    /// A message that is no subscription came: until all that waits is read, libzmq may apply a
    /// subscription to another connection than the one that sent it.
    var isOutOfStep = false
    var sequence = 0

    /// Binds both sockets.
    public init(
        keys: BusKeys, endpoints: Endpoints, limits: Limits = Limits(), context: ZMQContext
    ) throws(ZeroMQError) {
        self.limits = limits
        clients = AdmittedKeys(keys.clients)
        backlogs = Backlogs(limits: limits)
        subscribers = SubscriptionCounts(limits: limits)
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
        let domain = "bus"
        requestEndpoints = try Self.bind(
            requests, endpoints.requests, keys: keys, domain: domain, zap)
        eventEndpoints = try Self.bind(events, endpoints.events, keys: keys, domain: domain, zap)
    }

    /// What CURVE's handshake needs at most, with a routing id; a subscription needs less.
    private static let subscriptionFrameBytes: Int64 = 640

    private static func bind(
        _ socket: ZMQSocket, _ places: [String], keys: BusKeys, domain: String, _ zap: ZAPHandler
    ) throws(ZeroMQError) -> [String] {
        try socket.setHandshakeInterval(.seconds(10))
        try socket.serveCurve(secretKey: keys.server.secretKey, domain: domain, admittedBy: zap)
        var bound: [String] = []
        for place in places {
            try socket.bind(place)
            bound.append(try socket.lastEndpoint)
            // Everybody may knock; the handler decides who enters.
            if place.hasPrefix("ipc://") { chmod(String(place.dropFirst(6)), 0o666) }
        }
        return bound
    }

    /// Answers who asks to enter.
    public func admit() throws(ZeroMQError) {
        try zap.serve { request in
            if let key = request.publicKey, let name = clients.name(of: key) { return name }
            incidents.count(
                "unknown", "bus.key_refused", clients.reason(for: request.publicKey))
            return nil
        }
    }

    /// Gives and forgets what clients did wrong: `bus.key_refused`, `bus.flood`,
    /// `bus.subscription_refused` and `bus.subscription_flood`.
    public func takeIncidents() -> [Incident] { incidents.take() }

    /// True while something waits for room or for another call: come back within 20 ms.
    public var wantsToWrite: Bool { hasUnwelcomed || !backlogs.waiting.isEmpty }
}
