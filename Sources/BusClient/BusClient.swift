// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import AicoCore
package import AicoWire
package import ZeroMQ

/// A client of the scheduler's bus; belongs to one thread.
package final class BusClient {
    /// How long a request waits for its answer.
    package let timeout: Duration
    /// Where requests go.
    package let endpoint: String
    /// Where events come from.
    package let eventsEndpoint: String

    private let context: ZMQContext
    private let serverKey: String
    private let clientKeys: CurveKeyPair
    private let waitsForDaemon: Bool
    private var requests: BusConnection?
    private var events: BusConnection?
    private var pending: [BusEvent] = []
    private var count = 0

    /// Makes a client; nothing is connected before the first request.
    ///
    /// `eventsEndpoint` is by default the `events.sock` beside `endpoint`. With `waitsForDaemon`
    /// a daemon that does not listen is waited for until `timeout`; else it fails at once.
    package init(
        endpoint: String, serverKey: String, clientKeys: CurveKeyPair,
        timeout: Duration = .seconds(10), eventsEndpoint: String? = nil,
        waitsForDaemon: Bool = false
    ) throws(BusError) {
        self.endpoint = endpoint
        self.eventsEndpoint =
            eventsEndpoint ?? endpoint.split(
                separator: "/", omittingEmptySubsequences: false
            ).dropLast().joined(separator: "/") + "/events.sock"
        self.serverKey = serverKey
        self.clientKeys = clientKeys
        self.timeout = timeout
        self.waitsForDaemon = waitsForDaemon
        context = try transport { () throws(ZeroMQError) in try ZMQContext() }
    }

    /// The admin's key file of the instance under `root`.
    package static func adminKeyFile(root: String) -> String {
        "\(InstanceDirectory.clientKeys.path(under: root))/admin.key"
    }

    /// Makes a client of the daemon under `root` ("" for the installed one).
    ///
    /// Without `keyFile` the admin's key, which the scheduler made at its first start, is read.
    package static func load(
        root: String, keyFile: String? = nil, timeout: Duration = .seconds(10),
        waitsForDaemon: Bool = false
    ) throws(BusError) -> BusClient {
        try load(
            endpoint: "ipc://\(InstanceDirectory.bus.path(under: root))/bus.sock",
            keyFile: keyFile ?? adminKeyFile(root: root), timeout: timeout,
            waitsForDaemon: waitsForDaemon)
    }

    /// Makes a client of an endpoint with the keys of a file.
    package static func load(
        endpoint: String, keyFile: String, timeout: Duration = .seconds(10),
        waitsForDaemon: Bool = false
    ) throws(BusError) -> BusClient {
        let file = try ClientKeyFile.read(path: keyFile)
        return try BusClient(
            endpoint: endpoint, serverKey: file.serverKey, clientKeys: file.keys, timeout: timeout,
            waitsForDaemon: waitsForDaemon)
    }

    /// Sends a request and waits for its data.
    package func request(topic: BusTopic, body: JSONValue = [:]) throws(BusError) -> JSONValue {
        try request(topic: topic.rawValue, body: body)
    }

    /// Sends a request and waits for its data.
    package func request(topic: String, body: JSONValue) throws(BusError) -> JSONValue {
        count += 1
        let request = BusRequest(id: "r\(count)", topic: topic, body: body)
        let frames = request.frames
        guard frames[1].count <= BusLimits.maximumRequestBytes else {
            throw .requestTooLarge(
                bytes: frames[1].count, limit: BusLimits.maximumRequestBytes)
        }
        let deadline = ContinuousClock.now + timeout
        do throws(BusError) {
            let connection = try requestConnection()
            try connection.catchUp()
            let isSent = try transport { () throws(ZeroMQError) in
                try connection.socket.send(frames)
            }
            guard isSent else { throw .noDaemon(endpoint: endpoint) }
            let reply = try awaitReply(to: request.id, on: connection, until: deadline)
            switch reply.outcome {
            case .success(let data): return data
            case .failure(let refusal):
                throw .refused(
                    code: refusal.code, message: refusal.message, hint: refusal.hint)
            }
        } catch {
            // Closing drops a request that was not sent yet: it must not arrive later.
            if case .refused = error { throw error }
            requests = nil
            throw error
        }
    }

    /// Subscribes to the events whose topic begins with `prefix`, and returns when the
    /// subscription is in force: from then on no event is missed.
    package func subscribe(prefix: String = BusEventTopic.prefix) throws(BusError) {
        let connection = try eventConnection()
        try transport { () throws(ZeroMQError) in try connection.socket.subscribe(prefix: prefix) }
        let deadline = ContinuousClock.now + timeout
        while true {
            switch try connection.turn(until: deadline) {
            case .message(let frames):
                let event = try Self.event(frames)
                if event.subscribedPrefix == prefix { return }
                if event.subscribedPrefix == nil { pending.append(event) }
            case .established, .lost: continue
            case .timeout:
                throw timedOut(connection, eventsEndpoint, isSent: false)
            }
        }
    }

    /// Waits for the next event; nil after `timeout` (nil: for ever).
    ///
    /// Throws `connectionLost` once when the daemon goes away; a further call waits for it to
    /// come back, with its subscriptions, but what happened between is missed.
    package func nextEvent(timeout: Duration?) throws(BusError) -> BusEvent? {
        if !pending.isEmpty { return pending.removeFirst() }
        let connection = try eventConnection()
        let deadline = timeout.map { ContinuousClock.now + $0 }
        while true {
            switch try connection.turn(until: deadline) {
            case .message(let frames):
                let event = try Self.event(frames)
                if event.subscribedPrefix == nil { return event }
            case .established: continue
            case .lost: throw .connectionLost(endpoint: eventsEndpoint)
            case .timeout: return nil
            }
        }
    }

    private func awaitReply(
        to id: String, on connection: BusConnection, until deadline: ContinuousClock.Instant
    ) throws(BusError) -> BusReply {
        while true {
            switch try connection.turn(until: deadline) {
            case .message(let frames):
                let reply: BusReply
                do {
                    reply = try BusReply(frames: frames)
                } catch {
                    throw .badReply(reason: error.reason)
                }
                // An answer to an earlier request that was given up is not this one's.
                if reply.id == id || reply.id.isEmpty { return reply }
            case .established: continue
            case .lost: throw .connectionLost(endpoint: endpoint)
            case .timeout:
                throw timedOut(connection, endpoint, isSent: connection.isEstablished)
            }
        }
    }

    private func timedOut(
        _ connection: BusConnection, _ endpoint: String, isSent: Bool
    ) -> BusError {
        connection.isCrowded
            ? .crowded(endpoint: endpoint, after: timeout)
            : .silent(endpoint: endpoint, after: timeout, isSent: isSent)
    }

    private func requestConnection() throws(BusError) -> BusConnection {
        if let requests { return requests }
        let connection = try connect(.dealer, endpoint)
        requests = connection
        return connection
    }

    private func eventConnection() throws(BusError) -> BusConnection {
        if let events { return events }
        let connection = try connect(.subscriber, eventsEndpoint)
        events = connection
        return connection
    }

    private func connect(
        _ kind: ZMQSocket.Kind, _ endpoint: String
    ) throws(BusError) -> BusConnection {
        try transport { () throws(ZeroMQError) in
            try BusConnection(
                kind, endpoint: endpoint, serverKey: serverKey, keys: clientKeys, context: context,
                waitsForDaemon: waitsForDaemon)
        }
    }

    private static func event(_ frames: [[UInt8]]) throws(BusError) -> BusEvent {
        do {
            return try BusEvent(frames: frames)
        } catch {
            throw .badReply(reason: error.reason)
        }
    }
}
