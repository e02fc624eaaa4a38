// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoConfig
import AicoCore
import AicoKeys
import AicoWire
import Glibc
import ZeroMQ

/// The bus's server side: requests in, replies and events out.
final class BusServer {
    /// Who sent a request.
    struct Client {
        let routingID: [UInt8]
        let name: String
        let role: BusRole
    }

    let zap: ZAPHandler
    let router: ZMQSocket
    let events: ZMQSocket
    private let clients: [String: (name: String, role: BusRole)]
    private let roles: [String: BusRole]
    private var sequence = 0
    /// Keys that were refused since the last look.
    private(set) var refused = 0

    init(
        keys: BusKeys, layout: InstanceLayout, settings: BusSettings, context: ZMQContext
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
        router = try ZMQSocket(.router, in: context)
        events = try ZMQSocket(.xpub, in: context)
        try events.setVerboseSubscriptions(true)
        try events.setHighWaterMark(send: Int32(settings.highWaterMark), receive: 1000)
        let places = [
            (router, layout.busSocket, settings.requests),
            (events, layout.eventsSocket, settings.events),
        ]
        for (socket, path, further) in places {
            try socket.setMaximumMessageBytes(Int64(settings.maximumMessageBytes))
            try socket.setHandshakeInterval(.seconds(10))
            try socket.serveCurve(
                secretKey: keys.server.secretKey, domain: "bus", admittedBy: zap)
            try socket.bind("ipc://\(path)")
            // Everybody may knock; the handler decides who enters.
            chmod(path, 0o666)
            if let further { try socket.bind(further.text) }
        }
    }

    /// Answers who asks to enter.
    func admit() throws(ZeroMQError) {
        try zap.serve { request in
            if let key = request.publicKey, let client = clients[key] { return client.name }
            refused += 1
            return nil
        }
    }

    /// Gives and forgets how many keys were refused.
    func takeRefused() -> Int {
        defer { refused = 0 }
        return refused
    }

    /// Takes the next request; nil where none waits.
    func receive() throws(ZeroMQError) -> (client: Client, frames: [[UInt8]])? {
        while let message = try router.receiveMessage() {
            guard let routingID = message.frames.first else { continue }
            guard let name = message.userID, let role = roles[name] else { continue }
            return (
                Client(routingID: routingID, name: name, role: role),
                Array(message.frames.dropFirst())
            )
        }
        return nil
    }

    /// Sends a reply; one that is too long becomes a refusal.
    func send(_ reply: BusReply, to client: Client) throws(ZeroMQError) {
        var frames = reply.frames
        if frames[1].count > BusLimits.maximumReplyBytes {
            let refusal = BusRefusal(
                code: .tooLarge, message: "the answer has \(frames[1].count) bytes",
                hint: "ask for less with a limit")
            frames = BusReply(id: reply.id, topic: reply.topic, outcome: .failure(refusal)).frames
        }
        try router.send([client.routingID] + frames)
    }

    /// Publishes an event to those who subscribed.
    func publish(_ topic: BusEventTopic, _ data: JSONValue) throws(ZeroMQError) {
        sequence += 1
        try events.send(
            BusEvent(topic: topic.rawValue, sequence: sequence, data: data).frames)
    }

    /// Tells new subscribers that their subscription is in force.
    func welcome() throws(ZeroMQError) {
        while let message = try events.receive() {
            guard let prefix = BusEvent.subscription(message) else { continue }
            sequence += 1
            try events.send(BusEvent.subscribed(prefix: prefix, sequence: sequence).frames)
        }
    }
}
