// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import ZeroMQ

/// One CURVE socket to the daemon with the watch over its connection.
final class BusConnection {
    /// A wrong key is told at once; what ends a handshake later than this is the daemon's own
    /// limit, as of one that does not get around to it.
    private let promptly: Duration

    /// What a look at the connection found.
    enum Turn: Equatable {
        case message([[UInt8]])
        case established
        case lost
        case timeout
    }

    let socket: ZMQSocket
    private let endpoint: String
    private let monitor: ZMQMonitor
    private let waitsForDaemon: Bool
    private var poller = ZMQPoller()
    private var isReached = false
    /// Whether somebody listens whose queue of connections was full at the last attempt.
    private(set) var isCrowded = false
    /// When the handshake that goes on began.
    private var reachedAt = ContinuousClock.now
    /// Whether the daemon admitted us and the connection stands.
    private(set) var isEstablished = false
    private var failedHandshakes = 0

    init(
        _ kind: ZMQSocket.Kind, endpoint: String, serverKey: String, keys: CurveKeyPair,
        context: ZMQContext, waitsForDaemon: Bool, promptly: Duration = .seconds(2)
    ) throws(ZeroMQError) {
        self.promptly = promptly
        self.endpoint = endpoint
        self.waitsForDaemon = waitsForDaemon
        socket = try ZMQSocket(kind, in: context)
        try socket.setHighWaterMark(send: 64, receive: 10_000)
        try socket.setMaximumMessageBytes(Int64(BusLimits.maximumReplyBytes))
        try socket.setReconnectInterval(.milliseconds(20), maximum: .milliseconds(500))
        // No limit of the socket's own: one that runs out looks like a wrong key. Whoever waits
        // has a deadline.
        try socket.setHandshakeInterval(.zero)
        try socket.useCurve(serverKey: serverKey, keys: keys)
        monitor = try ZMQMonitor(of: socket, name: "\(kind)")
        try socket.connect(endpoint)
        poller.add(socket, key: 0)
        poller.add(monitor.socket, key: 1)
    }

    /// Waits for a message or a change of the connection; messages come first.
    func turn(until deadline: ContinuousClock.Instant?) throws(BusError) -> Turn {
        while true {
            if let frames = try transport({ () throws(ZeroMQError) in try socket.receive() }) {
                return .message(frames)
            }
            while let event = try nextEvent() {
                if let change = try note(event) { return change }
            }
            let left = deadline.map { $0 - .now }
            if let left, left <= .zero { return .timeout }
            _ = try transport { () throws(ZeroMQError) in try poller.wait(timeout: left) }
        }
    }

    /// Forgets what happened to the connection while nobody looked.
    func catchUp() throws(BusError) {
        while try transport({ () throws(ZeroMQError) in try socket.receive() }) != nil {}
        while let event = try nextEvent() { _ = try note(event) }
    }

    private func nextEvent() throws(BusError) -> ZMQMonitor.Event? {
        try transport { () throws(ZeroMQError) in try monitor.next() }
    }

    private func note(_ event: ZMQMonitor.Event) throws(BusError) -> Turn? {
        switch event {
        case .connected:
            isReached = true
            isCrowded = false
            reachedAt = .now
            return nil
        case .handshakeSucceeded:
            isEstablished = true
            failedHandshakes = 0
            return .established
        case .refused(status: 500):
            throw .refused(
                code: BusErrorCode.unavailable.rawValue,
                message: "the scheduler holds as many connections with this key as it may",
                hint: "end other programs that use the key, or raise "
                    + "bus.max_connections_per_client in core.yaml")
        case .refused:
            throw .notAdmitted(endpoint: endpoint, reason: "the scheduler does not know this key")
        case .handshakeFailed:
            guard ContinuousClock.now - reachedAt < promptly else { return nil }
            // Once may be a daemon that ended at the wrong moment; twice is a wrong key.
            failedHandshakes += 1
            guard failedHandshakes > 1 else { return nil }
            throw .notAdmitted(
                endpoint: endpoint,
                reason: "the scheduler there is not the one that the key file names")
        case .connectRetried:
            // Also follows a connection that came about and broke: nobody listens only where
            // there was none since the last attempt.
            defer { isReached = false }
            let listener = isReached ? Listener.open : Listener(at: endpoint)
            isCrowded = listener == .full
            guard listener != .barred else {
                throw .notAdmitted(endpoint: endpoint, reason: Listener.barredReason)
            }
            guard waitsForDaemon || listener != .missing else {
                throw .noDaemon(endpoint: endpoint)
            }
            return nil
        case .disconnected:
            guard isEstablished else { return nil }
            isEstablished = false
            return .lost
        }
    }
}

/// Runs calls of ZeroMQ and wraps their error.
func transport<Value>(_ body: () throws(ZeroMQError) -> Value) throws(BusError) -> Value {
    do {
        return try body()
    } catch {
        throw .transport(error)
    }
}
