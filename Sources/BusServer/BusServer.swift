// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

public import AicoCore
public import AicoKeys
public import AicoWire
import Glibc
public import ZeroMQ

/// stub to be replaced by the bus branch
public final class BusServer {
    public struct Client: Sendable, Hashable {
        public let routingID: [UInt8]
        public let name: String
        public let role: BusRole
    }
    public struct Endpoints: Sendable {
        public var requests: [String]
        public var events: [String]
        public init(requests: [String], events: [String]) {
            self.requests = requests
            self.events = events
        }
    }
    public struct Limits: Sendable { public init() {} }
    public struct Incident: Sendable, Equatable {
        public var actor: String
        public var action: String
        public var count: Int
        public var detail: String
    }
    let zap: ZAPHandler
    public var admission: ZMQSocket { zap.socket }
    public let requests: ZMQSocket
    public let events: ZMQSocket
    private let clients: [String: (name: String, role: BusRole)]
    private let roles: [String: BusRole]
    private var sequence = 0
    private var refused = 0

    public init(
        keys: BusKeys, endpoints: Endpoints, limits: Limits = Limits(), context: ZMQContext
    ) throws(ZeroMQError) {
        var clients: [String: (name: String, role: BusRole)] = [:]
        var roles: [String: BusRole] = [:]
        for client in keys.clients {
            guard let role = BusRole(rawValue: client.role.rawValue) else { continue }
            clients[client.publicKey] = (client.name, role)
            roles[client.name] = role
        }
        self.clients = clients
        self.roles = roles
        zap = try ZAPHandler(in: context)
        requests = try ZMQSocket(.router, in: context)
        events = try ZMQSocket(.xpub, in: context)
        try events.setVerboseSubscriptions(true)
        for (socket, places) in [(requests, endpoints.requests), (events, endpoints.events)] {
            try socket.setMaximumMessageBytes(1 << 20)
            try socket.setHandshakeInterval(.seconds(10))
            try socket.serveCurve(
                secretKey: keys.server.secretKey, domain: "bus", admittedBy: zap)
            for place in places {
                try socket.bind(place)
                if place.hasPrefix("ipc://") { chmod(String(place.dropFirst(6)), 0o666) }
            }
        }
    }
    public func admit() throws(ZeroMQError) {
        try zap.serve { request in
            if let key = request.publicKey, let client = clients[key] { return client.name }
            refused += 1
            return nil
        }
    }
    public func takeIncidents() -> [Incident] {
        defer { refused = 0 }
        return refused == 0
            ? []
            : [
                Incident(
                    actor: "unknown", action: "bus.key_refused", count: refused,
                    detail: "connections")
            ]
    }
    public func receive() throws(ZeroMQError) -> (client: Client, frames: [[UInt8]])? {
        while let message = try requests.receiveMessage() {
            guard let routingID = message.frames.first else { continue }
            guard let name = message.userID, let role = roles[name] else { continue }
            return (
                Client(routingID: routingID, name: name, role: role),
                Array(message.frames.dropFirst())
            )
        }
        return nil
    }
    public func send(_ reply: BusReply, to client: Client) throws(ZeroMQError) {
        try send(frames: reply.frames, to: client)
    }
    public func send(frames: [[UInt8]], to client: Client) throws(ZeroMQError) {
        try requests.send([client.routingID] + frames)
    }
    public var wantsToWrite: Bool { false }
    public func flush() throws(ZeroMQError) {}
    public func publish(_ topic: BusEventTopic, _ data: JSONValue) throws(ZeroMQError) {
        sequence += 1
        try events.send(
            BusEvent(topic: topic.rawValue, sequence: sequence, data: data).frames)
    }
    public func welcome() throws(ZeroMQError) {
        while let message = try events.receive() {
            guard let prefix = BusEvent.subscription(message) else { continue }
            sequence += 1
            try events.send(BusEvent.subscribed(prefix: prefix, sequence: sequence).frames)
        }
    }
}
