// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import BusClient
import BusServer
import Foundation
import Synchronization
import ZeroMQ

@testable import AicoKeys

/// A `BusServer` on a thread of its own, in a loop as the scheduler's.
///
/// It answers `echo` at once with the body's size, `blob` with as many bytes as the body's `bytes`
/// says, `publish` after it has published a health event, of about as many bytes.
final class ServedBus: Sendable {
    struct Seen: Sendable {
        var incidents: [String: Int] = [:]
        var longestTurn = Duration.zero
        var requests = 0
    }

    let clients: [String: CurveKeyPair]
    let serverKey: String
    private let path: String
    private let state = Mutex(Seen())
    /// Told of each turn of the loop.
    private let turned = NSCondition()
    private let ended = DispatchSemaphore(value: 0)
    private let stop = Mutex(false)

    init(
        roles: [(name: String, role: ClientRole)] = [
            ("good", .viewer), ("greedy", .viewer), ("other", .viewer),
        ], sharedKey: Bool = false, limits: BusServer.Limits = BusServer.Limits()
    ) throws {
        path = "/tmp/aico-bus-\(UInt32.random(in: 0...UInt32.max))"
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o700])
        let pair = try CurveKeyPair.generate()
        serverKey = pair.publicKey
        let common = try CurveKeyPair.generate()
        var clients: [String: CurveKeyPair] = [:]
        for role in roles { clients[role.name] = sharedKey ? common : try .generate() }
        self.clients = clients
        let keys = BusKeys(
            server: CurvePair(publicKey: pair.publicKey, secretKey: pair.secretKey),
            clients: roles.compactMap { role in
                clients[role.name].map {
                    AdmittedClient(name: role.name, publicKey: $0.publicKey, role: role.role)
                }
            })
        let context = try ZMQContext()
        let endpoints = BusServer.Endpoints(
            requests: ["ipc://\(path)/bus.sock"], events: ["ipc://\(path)/events.sock"])
        let bound = DispatchSemaphore(value: 0)
        let thread = Thread { [self] in
            do {
                let server = try BusServer(
                    keys: keys, endpoints: endpoints, limits: limits, context: context)
                bound.signal()
                try serve(server)
            } catch {
                print("the served bus ended: \(error)")
                bound.signal()
            }
            ended.signal()
        }
        thread.start()
        bound.wait()
    }

    /// Ends the loop and waits for its thread.
    func end() {
        stop.withLock { $0 = true }
        ended.wait()
        try? FileManager.default.removeItem(atPath: path)
    }

    var seen: Seen { state.withLock { $0 } }

    /// How often something happened, once it did: a client may hear of it before the loop has noted it.
    func incidents(_ name: String) -> Int {
        let deadline = Date(timeIntervalSinceNow: 10)
        turned.lock()
        defer { turned.unlock() }
        while true {
            if let count = seen.incidents[name] { return count }
            guard turned.wait(until: deadline) else { return 0 }
        }
    }
    var requestsPath: String { "\(path)/bus.sock" }

    func client(_ name: String, timeout: Duration = .seconds(20)) throws -> BusClient {
        try BusClient(
            endpoint: "ipc://\(path)/bus.sock", serverKey: serverKey,
            clientKeys: clients[name] ?? CurveKeyPair.generate(), timeout: timeout)
    }

    /// A socket that speaks for a client without `BusClient`'s manners.
    func socket(
        _ kind: ZMQSocket.Kind, as name: String, queue: Int32 = 4, heartbeat: Duration? = nil,
        in context: ZMQContext? = nil, prepare: (ZMQSocket) throws -> Void = { _ in }
    ) throws -> ZMQSocket {
        let socket = try ZMQSocket(kind, in: context ?? ZMQContext())
        try prepare(socket)
        if let heartbeat { try socket.setHeartbeat(every: heartbeat, timeout: .seconds(10)) }
        try socket.setHighWaterMark(send: queue, receive: queue)
        try socket.useCurve(serverKey: serverKey, keys: clients[name] ?? CurveKeyPair.generate())
        try socket.connect(
            "ipc://\(path)/\(kind == .dealer ? "bus" : "events").sock")
        return socket
    }

    private func serve(_ server: BusServer) throws {
        var poller = ZMQPoller()
        for (key, socket) in server.sockets.enumerated() { poller.add(socket, key: key) }
        let clock = ContinuousClock()
        while !stop.withLock({ $0 }) {
            _ = try poller.wait(timeout: .milliseconds(server.wantsToWrite ? 1 : 20))
            let began = clock.now
            try server.admit()
            try server.acceptSubscriptions()
            var taken = 0
            while taken < 64, clock.now - began < .milliseconds(10),
                let (client, frames) = try server.receive()
            {
                taken += 1
                try server.send(try answer(frames, server), to: client)
            }
            try server.flush()
            let incidents = server.takeIncidents()
            let length = clock.now - began
            state.withLock {
                for incident in incidents {
                    $0.incidents["\(incident.actor) \(incident.action)", default: 0] +=
                        incident.count
                }
                $0.longestTurn = max($0.longestTurn, length)
                $0.requests += taken
            }
            turned.lock()
            turned.broadcast()
            turned.unlock()
        }
    }

    private func answer(_ frames: [[UInt8]], _ server: BusServer) throws -> BusReply {
        let request: BusRequest
        do throws(BusMessageError) {
            request = try BusRequest(frames: frames)
        } catch {
            return BusReply(
                id: error.id, topic: "",
                outcome: .failure(BusRefusal(code: error.code, message: error.reason)))
        }
        if request.topic == "publish" {
            let filler = String(repeating: "e", count: request.body["bytes"]?.int ?? 0)
            try server.publish(.health, ["status": "ok", "filler": .string(filler)])
        }
        let data: JSONValue
        if request.topic == "blob" {
            data = .string(String(repeating: "b", count: request.body["bytes"]?.int ?? 0))
        } else {
            data = ["bytes": .int(frames.last?.count ?? 0)]
        }
        return BusReply(id: request.id, topic: request.topic, outcome: .success(data))
    }
}
