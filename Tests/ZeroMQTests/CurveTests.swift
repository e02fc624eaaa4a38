// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Testing

@testable import ZeroMQ

@Suite struct CurveTests {
    /// A ROUTER that admits one key as "known", served by hand from the test's thread.
    private final class Server {
        let keys: CurveKeyPair
        let router: ZMQSocket
        let zap: ZAPHandler
        var asked: [ZAPHandler.Request] = []

        init(endpoint: String, context: ZMQContext) throws {
            keys = try CurveKeyPair.generate()
            zap = try ZAPHandler(in: context)
            router = try ZMQSocket(.router, in: context)
            try router.serveCurve(secretKey: keys.secretKey, domain: "aico", admittedBy: zap)
            try router.bind(endpoint)
        }

        /// Serves until a message or one of the client's monitor events ends the wait.
        func run(
            admitting known: String, watching monitor: ZMQMonitor
        ) throws -> (ZMQMessage?, ZMQMonitor.Event?) {
            var poller = ZMQPoller()
            poller.add(zap.socket, key: 0)
            poller.add(router, key: 1)
            poller.add(monitor.socket, key: 2)
            let deadline = ContinuousClock.now + .seconds(20)
            while ContinuousClock.now < deadline {
                _ = try poller.wait(timeout: .seconds(1))
                try zap.serve { request in
                    asked.append(request)
                    return request.publicKey == known ? "known" : nil
                }
                if let message = try router.receiveMessage() { return (message, nil) }
                while let event = try monitor.next() {
                    switch event {
                    case .refused, .handshakeFailed: return (nil, event)
                    case .connected, .connectRetried, .handshakeSucceeded, .disconnected: continue
                    }
                }
            }
            return (nil, nil)
        }
    }

    let directory: TemporaryDirectory
    let context: ZMQContext

    init() throws {
        directory = try TemporaryDirectory()
        context = try ZMQContext()
    }

    private func client(
        _ configure: (ZMQSocket) throws -> Void
    ) throws -> (ZMQSocket, ZMQMonitor) {
        let dealer = try ZMQSocket(.dealer, in: context)
        let monitor = try ZMQMonitor(of: dealer, name: "client-\(UInt32.random(in: 0 ... .max))")
        try configure(dealer)
        try dealer.connect(directory.endpoint("bus"))
        try dealer.send([42])
        return (dealer, monitor)
    }

    @Test func aKnownKeyEntersUnderItsName() throws {
        let server = try Server(endpoint: directory.endpoint("bus"), context: context)
        let keys = try CurveKeyPair.generate()
        let (dealer, monitor) = try client {
            try $0.useCurve(serverKey: server.keys.publicKey, keys: keys)
        }
        let (message, _) = try server.run(admitting: keys.publicKey, watching: monitor)
        #expect(message?.frames.last == [42])
        #expect(message?.userID == "known")
        #expect(server.asked.map(\.mechanism) == ["CURVE"])
        #expect(server.asked.map(\.domain) == ["aico"])
        withExtendedLifetime(dealer) {}
    }

    @Test func anUnknownKeyIsRefusedWithAStatus() throws {
        let server = try Server(endpoint: directory.endpoint("bus"), context: context)
        let known = try CurveKeyPair.generate()
        let (dealer, monitor) = try client {
            try $0.useCurve(serverKey: server.keys.publicKey, keys: .generate())
        }
        let (message, event) = try server.run(admitting: known.publicKey, watching: monitor)
        #expect(message == nil)
        #expect(event == .refused(status: 400))
        withExtendedLifetime(dealer) {}
    }

    @Test func aWrongServerKeyFailsTheHandshake() throws {
        let server = try Server(endpoint: directory.endpoint("bus"), context: context)
        let keys = try CurveKeyPair.generate()
        let (dealer, monitor) = try client {
            try $0.useCurve(serverKey: CurveKeyPair.generate().publicKey, keys: keys)
        }
        let (message, event) = try server.run(admitting: keys.publicKey, watching: monitor)
        #expect(message == nil)
        guard case .handshakeFailed = event else {
            Issue.record("expected a failed handshake, got \(String(describing: event))")
            return
        }
        #expect(server.asked.isEmpty)
        withExtendedLifetime(dealer) {}
    }

    @Test func aClientWithoutCurveIsRefused() throws {
        let server = try Server(endpoint: directory.endpoint("bus"), context: context)
        let (dealer, monitor) = try client { _ in }
        let (message, event) = try server.run(admitting: "", watching: monitor)
        #expect(message == nil)
        #expect(event != nil)
        withExtendedLifetime(dealer) {}
    }

    @Test func withoutItsHandlerAServerAdmitsNobody() throws {
        // Takes the handler away behind the wrapper's back: libzmq's own default admits everyone.
        let keys = try CurveKeyPair.generate()
        let router = try ZMQSocket(.router, in: context)
        do {
            let zap = try ZAPHandler(in: context)
            try router.serveCurve(secretKey: keys.secretKey, domain: "aico", admittedBy: zap)
            router.admission = nil
        }
        try router.bind(directory.endpoint("bus"))
        var isRefused = false
        // The first one may still find the handler that is just being closed, and be left without
        // an answer: then another one asks.
        for _ in 0..<20 where !isRefused {
            let (dealer, monitor) = try client {
                try $0.useCurve(serverKey: keys.publicKey, keys: .generate())
            }
            while !isRefused, try monitor.socket.wait(timeout: .seconds(1)) {
                while let event = try monitor.next() {
                    #expect(event != .handshakeSucceeded)
                    if case .handshakeFailed = event { isRefused = true }
                }
            }
            withExtendedLifetime(dealer) {}
        }
        #expect(isRefused)
        #expect(try router.receive() == nil)
    }

    @Test func aRefusedMechanismIsAnsweredToo() throws {
        let zap = try ZAPHandler(in: context)
        let asker = try ZMQSocket(.request, in: context)
        try asker.connect("inproc://zeromq.zap.01")
        let parts = ["1.0", "7", "aico", "", "id", "PLAIN", "user", "password"]
        try asker.send(parts.map { Array($0.utf8) })
        #expect(try zap.socket.wait(timeout: .seconds(10)))
        try zap.serve { $0.mechanism == "CURVE" ? "x" : nil }
        let reply = try asker.receive(nonblocking: false)?.map {
            String(decoding: $0, as: UTF8.self)
        }
        #expect(reply?.prefix(3) == ["1.0", "7", "400"])
    }

    @Test(arguments: [
        ["1.0"], ["0.9", "7", "d", "", "i", "CURVE", "k"], ["1.0", "7", "d", "", "i", "CURVE"],
        ["1.0", "7", "d", "", "i", "CURVE", "short"], [""],
    ])
    func aMalformedRequestIsAnswered(parts: [String]) throws {
        let zap = try ZAPHandler(in: context)
        let asker = try ZMQSocket(.request, in: context)
        try asker.connect("inproc://zeromq.zap.01")
        try asker.send(parts.map { Array($0.utf8) })
        #expect(try zap.socket.wait(timeout: .seconds(10)))
        var decisions = 0
        try zap.serve { _ in
            decisions += 1
            return "x"
        }
        let reply = try asker.receive(nonblocking: false)?.map {
            String(decoding: $0, as: UTF8.self)
        }
        #expect(reply?[2] == "500")
        #expect(decisions == 0)
    }

    @Test func whereTheDecisionFailsTheAskerIsAnsweredAndTheNextOneHeard() throws {
        let zap = try ZAPHandler(in: context)
        let asker = try ZMQSocket(.request, in: context)
        try asker.connect("inproc://zeromq.zap.01")
        let request = ["1.0", "7", "aico", "", "id", "NULL"].map { Array($0.utf8) }
        let failure = ZeroMQError(operation: "decide", subject: "", code: 5)
        try asker.send(request)
        #expect(try zap.socket.wait(timeout: .seconds(10)))
        #expect(throws: failure) {
            try zap.serve(limit: 1) { _ throws(ZeroMQError) in throw failure }
        }
        #expect(try zap.socket.events.isEmpty)
        try #require(try asker.wait(timeout: .seconds(10)))
        #expect(try asker.receive()?[2] == Array("500".utf8))
        try asker.send(request)
        #expect(try zap.socket.wait(timeout: .seconds(10)))
        try zap.serve { _ in "somebody" }
        try #require(try asker.wait(timeout: .seconds(10)))
        #expect(try asker.receive()?[2] == Array("200".utf8))
    }

    @Test func aServerCannotBeMadeWithAnotherContextsHandler() throws {
        let zap = try ZAPHandler(in: ZMQContext())
        let router = try ZMQSocket(.router, in: context)
        #expect(throws: ZeroMQError(operation: "serve", subject: "CURVE", code: 22)) {
            try router.serveCurve(
                secretKey: CurveKeyPair.generate().secretKey, domain: "aico", admittedBy: zap)
        }
    }

    @Test func keysAreCheckedAndStayOutOfErrors() throws {
        let error = #expect(throws: ZeroMQError.self) {
            try CurveKeyPair(publicKey: "secret-looking", secretKey: "x")
        }
        #expect(error?.description.contains("secret-looking") == false)
        let pair = try CurveKeyPair.generate()
        #expect(try CurveKeyPair.publicKey(of: pair.secretKey) == pair.publicKey)
    }
}
