// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Foundation
import ZeroMQ

/// A small bus server on a thread of its own, with real sockets: it answers by topic.
final class TestBus: Sendable {
    let serverKey: String
    let admin: CurveKeyPair
    private let stop: String
    private let directory: TemporaryDirectory
    private let ended = DispatchSemaphore(value: 0)

    init(in directory: TemporaryDirectory, keys: CurveKeyPair? = nil) throws {
        self.directory = directory
        let keys = try keys ?? CurveKeyPair.generate()
        let admin = try CurveKeyPair.generate()
        let context = try ZMQContext()
        serverKey = keys.publicKey
        self.admin = admin
        stop = directory.endpoint("stop")
        let ready = DispatchSemaphore(value: 0)
        let ended = ended
        let stop = stop
        let thread = Thread {
            do {
                try Self.serve(
                    context: context, secretKey: keys.secretKey, admin: admin.publicKey,
                    directory: directory, stop: stop
                ) { ready.signal() }
            } catch {
                print("the test's bus ended: \(error)")
                ready.signal()
            }
            ended.signal()
        }
        thread.start()
        ready.wait()
    }

    /// Ends the server and waits for its thread.
    func end() throws {
        let push = try ZMQSocket(.push, in: ZMQContext())
        try push.setLinger(.seconds(10))
        try push.connect(stop)
        try push.send([0], nonblocking: false)
        ended.wait()
    }

    private static func serve(
        context: ZMQContext, secretKey: String, admin: String, directory: TemporaryDirectory,
        stop: String, ready: () -> Void
    ) throws {
        let zap = try ZAPHandler(in: context)
        let router = try ZMQSocket(.router, in: context)
        try router.setMaximumMessageBytes(1 << 20)
        let events = try ZMQSocket(.xpub, in: context)
        try events.setVerboseSubscriptions(true)
        for (socket, name) in [(router, "bus.sock"), (events, "events.sock")] {
            try socket.serveCurve(secretKey: secretKey, domain: "bus", admittedBy: zap)
            try socket.bind(directory.endpoint(name))
        }
        let end = try ZMQSocket(.pull, in: context)
        try end.bind(stop)
        var poller = ZMQPoller()
        for (key, socket) in [zap.socket, router, events, end].enumerated() {
            poller.add(socket, key: key)
        }
        ready()
        var sequence = 0
        while try end.receive() == nil {
            _ = try poller.wait(timeout: nil)
            try zap.serve { $0.publicKey == admin ? "admin" : nil }
            while let message = try events.receive() {
                if let prefix = BusEvent.subscription(message) {
                    sequence += 1
                    try events.send(
                        BusEvent.subscribed(prefix: prefix, sequence: sequence).frames)
                }
            }
            while let message = try router.receiveMessage() {
                if message.frames.last.map({ String(decoding: $0, as: UTF8.self) })?
                    .contains("publish") == true
                {
                    sequence += 1
                    try events.send(
                        BusEvent(
                            topic: BusEventTopic.health.rawValue, sequence: sequence,
                            data: ["status": "ok"]
                        ).frames)
                }
                guard let frames = answer(message) else { continue }
                try router.send([message.frames[0]] + frames)
            }
        }
    }

    private static func answer(_ message: ZMQMessage) -> [[UInt8]]? {
        let frames = Array(message.frames.dropFirst())
        do {
            let request = try BusRequest(frames: frames)
            switch request.topic {
            case "echo":
                return BusReply(
                    id: request.id, topic: request.topic,
                    outcome: .success([
                        "body": request.body, "user": .string(message.userID ?? ""),
                    ])
                ).frames
            case "silence": return nil
            case "noise": return [[], [0xFF]]
            default:
                return BusReply(
                    id: request.id, topic: request.topic,
                    outcome: .failure(
                        BusRefusal(code: .unknownTopic, message: "unknown", hint: "try echo"))
                ).frames
            }
        } catch {
            return BusReply(
                id: error.id, topic: "",
                outcome: .failure(BusRefusal(code: error.code, message: error.reason))
            ).frames
        }
    }
}
