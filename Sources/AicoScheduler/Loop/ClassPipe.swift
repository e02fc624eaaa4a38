// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoConfig
import AicoCore
import AicoWire
import Glibc
import ZeroMQ

/// The two pipes of one class, and what is known of the worker at their other end.
///
/// A worker takes orders once it answered a ping that was sent after its launch, and its class's
/// canary was held: orders that a dead worker's connection swallowed, and reports that one left
/// behind, are told apart by the ping.
final class ClassPipe {
    /// Where the class's worker stands.
    enum Worker {
        /// Not launched, or ended.
        case absent
        /// Launched; answers no ping yet.
        case launched
        /// Lives; its class's canary tries the ways out.
        case proving(CanaryRun)
        /// Takes orders.
        case ready
        /// Its class's canary was not held: takes no orders, and nothing it says counts.
        case unproven(String)
        /// Broke the protocol; the supervisor was asked to kill it.
        case distrusted(String)
    }

    let taskClass: TaskClass
    let orders: ZMQSocket
    let reports: ZMQSocket
    var worker = Worker.absent
    var since: Instant
    var processID: UInt64?
    var restarts = -1
    var layers: [String] = []
    /// How many attempts the worker runs at once, as it says.
    var capacity = Int.max
    /// How many ways out the canary of this worker found closed; nil before it did.
    var provenWays: Int?
    /// Executions that hold one of the class's places.
    var running = 0
    /// The ping that the worker has to answer.
    var nonce: UInt64 = 0
    /// Whether that ping has left.
    var isPingSent = false
    /// Orders that found no room.
    private var outbox: [(frame: [UInt8], attempt: Attempt?)] = []

    init(
        _ taskClass: TaskClass, layout: InstanceLayout, context: ZMQContext, now: Instant
    ) throws(ZeroMQError) {
        self.taskClass = taskClass
        since = now
        orders = try ZMQSocket(.push, in: context)
        reports = try ZMQSocket(.pull, in: context)
        for (socket, path) in [
            (orders, layout.ordersSocket(of: taskClass)),
            (reports, layout.reportsSocket(of: taskClass)),
        ] {
            try socket.setHighWaterMark(send: 1000, receive: 1000)
            try socket.setMaximumMessageBytes(Int64(WireLimits.maximumFrameBytes))
            try socket.bind("ipc://\(path)")
        }
    }

    var isReady: Bool {
        if case .ready = worker { return true }
        return false
    }

    /// Whether something waits for room on the orders pipe.
    var wantsToWrite: Bool {
        switch worker {
        case .launched: !isPingSent
        case .proving(let canary): !canary.isSent
        case .ready: !outbox.isEmpty
        case .absent, .unproven, .distrusted: false
        }
    }

    /// Takes note of a launch and begins to ask for a sign of life.
    func begin(processID: UInt64, at now: Instant) throws(ZeroMQError) {
        worker = .launched
        since = now
        self.processID = processID
        restarts += 1
        try ping()
    }

    /// Sends a ping of a new nonce.
    func ping() throws(ZeroMQError) {
        nonce &+= 1
        isPingSent = false
        try write()
    }

    /// Sends the order of the canary.
    func prove(_ canary: CanaryRun) throws(ZeroMQError) {
        worker = .proving(canary)
        try write()
    }

    /// Sends an order, or keeps it until there is room.
    func send(_ order: Order, for attempt: Attempt? = nil) throws(ZeroMQError) {
        outbox.append((OrderCodec.encode(order), attempt))
        try write()
    }

    /// Sends what waits, as far as there is room.
    func write() throws(ZeroMQError) {
        // Makes libzmq look at its commands, so that a dead connection is gone before a send.
        _ = try orders.events
        switch worker {
        case .absent, .unproven, .distrusted:
            return
        case .launched:
            guard !isPingSent else { return }
            isPingSent = try orders.send(OrderCodec.encode(.ping(nonce: nonce)))
        case .proving(var canary):
            guard !canary.isSent else { return }
            canary.isSent = try orders.send(OrderCodec.encode(.run(canary.order)))
            worker = .proving(canary)
        case .ready:
            var sent = 0
            while sent < outbox.count, try orders.send(outbox[sent].frame) {
                outbox[sent].attempt?.isSent = true
                sent += 1
            }
            outbox.removeFirst(sent)
        }
    }

    /// Takes back the run order of an attempt; false where it has left.
    func withdraw(_ attempt: Attempt) -> Bool {
        guard let index = outbox.firstIndex(where: { $0.attempt === attempt }) else { return false }
        outbox.remove(at: index)
        return true
    }

    /// Forgets orders that are not run orders: the worker that they were for is gone.
    func dropControlOrders() { outbox.removeAll { $0.attempt == nil } }
}
