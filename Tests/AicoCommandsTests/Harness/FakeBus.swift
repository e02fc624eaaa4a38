// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Foundation
import Glibc
import Synchronization
import ZeroMQ

/// A scheduler's bus without a scheduler: real sockets, answers by a script.
final class FakeBus: Sendable {
    struct Request: Sendable, Equatable {
        let topic: BusTopic?
        let body: JSONValue
    }

    struct Event: Sendable {
        let topic: BusEventTopic
        let data: JSONValue
        /// Events that were lost before this one.
        var lost = 0
    }

    struct Answer: Sendable {
        var outcome: Result<JSONValue, BusRefusal>
        /// Published once the reply has left.
        var events: [Event] = []
        /// Whether the bus ends after it.
        var isLast = false

        static func data(
            _ data: JSONValue, events: [Event] = [], isLast: Bool = false
        ) -> Answer {
            Answer(outcome: .success(data), events: events, isLast: isLast)
        }

        static func refusal(_ code: BusErrorCode, _ message: String, hint: String = "") -> Answer {
            Answer(outcome: .failure(BusRefusal(code: code, message: message, hint: hint)))
        }
    }

    typealias Script = @Sendable (Request) -> Answer

    private final class Seen: Sendable {
        let requests = Mutex<[Request]>([])
    }

    private let seen = Seen()
    private let ended = DispatchSemaphore(value: 0)
    /// The ends of a pipe; both stay open, so that a late word meets no closed one.
    private let stop: (read: Int32, write: Int32)

    init(_ root: CommandRoot, _ script: @escaping Script) throws {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else {
            throw ZeroMQError(operation: "make", subject: "pipe", code: errno)
        }
        stop = (ends[0], ends[1])
        let (end, seen, ended) = (ends[0], seen, ended)
        let ready = DispatchSemaphore(value: 0)
        Thread {
            do {
                try Self.serve(root, until: end, seen, script) { ready.signal() }
            } catch {
                print("the fake bus ended: \(error)")
                ready.signal()
            }
            ended.signal()
        }.start()
        ready.wait()
    }

    deinit {
        end()
        close(stop.read)
        close(stop.write)
    }

    /// All requests so far.
    var requests: [Request] { seen.requests.withLock { $0 } }

    /// Waits until a last answer ended it.
    func waitUntilEnded() {
        ended.wait()
        ended.signal()
    }

    /// Ends it, and waits for that.
    func end() {
        _ = write(stop.write, [0], 1)
        waitUntilEnded()
    }

    private static func serve(
        _ root: CommandRoot, until end: Int32, _ seen: Seen, _ script: Script, ready: () -> Void
    ) throws {
        let context = try ZMQContext()
        let zap = try ZAPHandler(in: context)
        let router = try ZMQSocket(.router, in: context)
        let events = try ZMQSocket(.xpub, in: context)
        try events.setVerboseSubscriptions(true)
        for (socket, name) in [(router, "bus.sock"), (events, "events.sock")] {
            try socket.setLinger(.seconds(5))
            try socket.serveCurve(
                secretKey: root.server.secretKey, domain: "bus", admittedBy: zap)
            try socket.bind(root.endpoint(name))
        }
        var poller = ZMQPoller()
        for (key, socket) in [zap.socket, router, events].enumerated() {
            poller.add(socket, key: key)
        }
        poller.add(descriptor: end, key: 9)
        ready()
        var sequence = 0
        while true {
            let woken = try poller.wait(timeout: nil)
            if woken.contains(where: { $0.key == 9 }) { return }
            try zap.serve { $0.publicKey == root.admin.publicKey ? "admin" : nil }
            while let message = try events.receive() {
                guard let prefix = BusEvent.subscription(message) else { continue }
                sequence += 1
                try events.send(BusEvent.subscribed(prefix: prefix, sequence: sequence).frames)
            }
            while let message = try router.receiveMessage() {
                let request = try BusRequest(frames: Array(message.frames.dropFirst()))
                let asked = Request(
                    topic: BusTopic(rawValue: request.topic), body: request.body)
                seen.requests.withLock { $0.append(asked) }
                let answer = script(asked)
                let reply = BusReply(
                    id: request.id, topic: request.topic, outcome: answer.outcome)
                try router.send([message.frames[0]] + reply.frames)
                for event in answer.events {
                    sequence += 1 + event.lost
                    try events.send(
                        BusEvent(
                            topic: event.topic.rawValue, sequence: sequence, data: event.data
                        ).frames)
                }
                if answer.isLast { return }
            }
        }
    }
}
