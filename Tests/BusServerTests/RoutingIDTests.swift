// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Foundation
import Testing
import ZeroMQ

@testable import AicoKeys
@testable import BusServer

/// Clients that choose their own routing ids.
@Suite(.serialized)
struct RoutingIDTests {
    /// A bus that is served by hand, so that replies can come late.
    private final class HandServed {
        let server: BusServer
        private let path = "/tmp/aico-hand-\(UInt32.random(in: 0...UInt32.max))"
        private let pair: CurveKeyPair
        private let clients: [String: CurveKeyPair]
        private var poller = ZMQPoller()

        init(_ names: [String]) throws {
            pair = try CurveKeyPair.generate()
            clients = try Dictionary(
                uniqueKeysWithValues: names.map { ($0, try CurveKeyPair.generate()) })
            let keys = BusKeys(
                server: CurvePair(publicKey: pair.publicKey, secretKey: pair.secretKey),
                clients: clients.map {
                    AdmittedClient(name: $0.key, publicKey: $0.value.publicKey, role: .viewer)
                })
            server = try BusServer(
                keys: keys,
                endpoints: BusServer.Endpoints(
                    requests: ["ipc://\(path).r"], events: ["ipc://\(path).e"]),
                context: ZMQContext())
            for (key, socket) in server.sockets.enumerated() { poller.add(socket, key: key) }
        }

        deinit { for end in ["r", "e"] { unlink("\(path).\(end)") } }

        func dealer(_ name: String, routingID: String) throws -> ZMQSocket {
            let dealer = try ZMQSocket(.dealer, in: ZMQContext())
            try dealer.setRoutingID(routingID)
            try dealer.useCurve(serverKey: pair.publicKey, keys: #require(clients[name]))
            try dealer.connect("ipc://\(path).r")
            try dealer.send(BusRequest(id: name, topic: "echo").frames)
            return dealer
        }

        /// Serves until a request comes.
        func request() throws -> BusServer.Client {
            let deadline = ContinuousClock.now + .seconds(10)
            while ContinuousClock.now < deadline {
                _ = try poller.wait(timeout: deadline - .now)
                try server.admit()
                if let (client, _) = try server.receive() { return client }
            }
            throw Missing()
        }

        func answer(_ client: BusServer.Client, _ text: String) throws {
            try server.send(
                BusReply(id: client.name, topic: "echo", outcome: .success(.string(text))),
                to: client)
            try server.flush()
        }
    }

    private struct Missing: Error {}

    @Test(arguments: [true, false])
    func aReplyGoesToNobodyWhoTookOverARoutingID(isBusy: Bool) throws {
        let bus = try HandServed(["good", "thief"])
        var victim: ZMQSocket? = try bus.dealer("good", routingID: "chosen")
        let asked = try bus.request()
        #expect(asked.name == "good")
        #expect(asked.routingID == Array("chosen".utf8))
        withExtendedLifetime(victim) {}
        victim = nil

        // libzmq leaves an id to whoever has it: until it has noticed, another try is needed.
        let thief = try bus.dealer("thief", routingID: "chosen")
        let stolen = try bus.request()
        #expect(stolen.name == "thief")
        #expect(stolen.routingID == asked.routingID)
        if !isBusy { try bus.answer(stolen, "its own") }
        try bus.answer(asked, "a secret")
        if isBusy { try bus.answer(stolen, "its own") }

        try #require(try thief.wait(timeout: .seconds(10)))
        let reply = try BusReply(frames: try #require(try thief.receive()))
        #expect(reply.id == "thief")
        #expect(try reply.outcome.get() == .string("its own"))
        // Were there another one, it would come before the answer to this.
        try thief.send(BusRequest(id: "last", topic: "echo").frames)
        try bus.answer(try bus.request(), "the last")
        try #require(try thief.wait(timeout: .seconds(10)))
        #expect(
            try BusReply(frames: try #require(try thief.receive())).outcome.get()
                == .string("the last"))
    }
}
