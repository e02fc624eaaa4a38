// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import CLinux
import Glibc
import LinuxSandbox
import LinuxSystem
import ZeroMQ

/// A class's long-lived worker: takes orders, has attempts forked, relays what they say.
///
/// One thread and one poll set. It sleeps until an order, an event of the fork server, a frame of a
/// task or an attempt's next deadline.
final class Worker {
    private enum Key {
        static let orders = 0
        static let reports = 1
        static let forkServer = 2
        /// The first key of tasks' sockets; the descriptor is added.
        static let firstTask = 16
    }

    /// Frames read of one task before the next has its turn.
    private static let framesPerTurn = 64
    /// The most frames read of an attempt's socket once its tree is gone: far more than it can hold.
    private static let drainFrames = 4096
    /// The most bytes read of an attempt's pipes once its tree is gone: what two of them can hold
    /// (pipe-max-size of proc(5)).
    private static let drainBytes = 2 * 1024 * 1024

    private let types: [String: any ScheduledTask.Type]
    private let plan: Plan
    private let limits: LimitWords
    private let forkServer: ForkServer
    private let orders: ZMQSocket
    private var outbox: Outbox
    private let reports: ZMQSocket
    private var attempts: [UInt64: WorkerAttempt] = [:]
    private var poller = ZMQPoller()
    private var isThrottled = false
    private var buffer = [UInt8](repeating: 0, count: TaskFrameCodec.maximumFrameBytes)
    /// Output read of one pipe before the next has its turn.
    private var portion = [UInt8](repeating: 0, count: 4096)

    init(
        types: [any ScheduledTask.Type], plan: Plan, forkServer: ForkServer,
        endpoints: Endpoints = .installed
    ) throws(ZeroMQError) {
        self.types = Dictionary(types.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        self.plan = plan
        limits = LimitWords(plan)
        self.forkServer = forkServer
        let context = try ZMQContext()
        orders = try Self.connect(.pull, endpoints.orders, in: context)
        reports = try Self.connect(.push, endpoints.reports, in: context)
        outbox = Outbox(reports)
        poller.add(orders, key: Key.orders)
        poller.add(descriptor: forkServer.descriptor, key: Key.forkServer)
    }

    /// Where the scheduler binds: in the directory that the launch left on descriptor 4.
    struct Endpoints {
        let orders: String
        let reports: String

        static let installed = Endpoints(
            orders: "ipc:///proc/self/fd/4/orders", reports: "ipc:///proc/self/fd/4/reports")
    }

    private static func connect(
        _ kind: ZMQSocket.Kind, _ endpoint: String, in context: ZMQContext
    ) throws(ZeroMQError) -> ZMQSocket {
        let socket = try ZMQSocket(kind, in: context)
        try socket.setHighWaterMark(send: 1000, receive: 1000)
        try socket.setMaximumMessageBytes(Int64(WireLimits.maximumFrameBytes))
        // A scheduler that is gone is awaited without hurry: the supervisor ends this worker.
        try socket.setReconnectInterval(.milliseconds(50), maximum: .seconds(2))
        try socket.connect(endpoint)
        return socket
    }

    /// Works until the fork server is gone.
    func run() throws {
        let layers = LayerReport(held: Layer.ofLaunch.map(\.name), missing: [])
        try outbox.send(
            .hello(
                processID: UInt32(getpid()), capacity: UInt32(plan.concurrency),
                wallLimit: RunLimits.wallLimit(of: plan), layers: layers))
        while true {
            let ready = try poller.wait(timeout: sleepTime())
            // Before the tasks' frames: `started` is an attempt's first report.
            guard try serveForkServer() else { return }
            for item in ready where item.key >= Key.firstTask {
                try relay(descriptor: Int32(item.key - Key.firstTask))
            }
            try takeOrders()
            try keepTime()
            try outbox.flush()
            throttle()
        }
    }

    private func sleepTime() -> Duration? {
        guard let next = attempts.values.compactMap(\.record.wakeTime).min() else { return nil }
        return max(.zero, ContinuousClock.now.duration(to: next))
    }

    private func keepTime() throws {
        guard !attempts.isEmpty else { return }
        let now = ContinuousClock.now
        for attempt in attempts.values { try perform(attempt.record.tick(now: now), attempt) }
    }

    /// While the pipe is full, tasks wait: their sockets leave the poll set.
    private func throttle() {
        guard isThrottled != outbox.isBlocked else { return }
        isThrottled = outbox.isBlocked
        if isThrottled {
            poller.add(reports, events: .writable, key: Key.reports)
        } else {
            poller.remove(key: Key.reports)
        }
        for attempt in attempts.values where attempt.record.isConfined {
            for descriptor in attempt.descriptors {
                if isThrottled { ignore(descriptor) } else { listen(descriptor) }
            }
        }
    }

    private func listen(_ descriptor: Int32) {
        poller.add(descriptor: descriptor, key: Key.firstTask + Int(descriptor))
    }

    private func ignore(_ descriptor: Int32) {
        poller.remove(key: Key.firstTask + Int(descriptor))
    }
}

// MARK: - Orders

extension Worker {
    private func takeOrders() throws {
        while let frames = try orders.receive() {
            guard frames.count == 1 else {
                WorkerLog.write("cannot take an order: it has \(frames.count) frames")
                continue
            }
            let order: Order
            do {
                order = try OrderCodec.decode(frames[0])
            } catch {
                WorkerLog.write("cannot take an order: \(error)")
                continue
            }
            switch order {
            case .run(let order): try begin(order)
            case .cancel(let key, let reason, let grace):
                // An attempt that is not there has ended: its last report is on its way.
                guard let attempt = attempts[key.value] else { continue }
                let actions = attempt.record.cancelled(reason, grace: grace, now: .now)
                try perform(actions, attempt)
            case .ping(let nonce): try outbox.send(.pong(nonce: nonce))
            }
        }
    }

    private func begin(_ order: AttemptOrder) throws {
        guard attempts[order.attempt.value] == nil else {
            WorkerLog.write("cannot run attempt \(order.attempt.value): it runs already")
            return
        }
        let order = RunLimits.clamp(order, to: plan)
        let capabilities: UInt64
        switch RunLimits.admit(order, types: types, plan: plan, running: attempts.count) {
        case .admitted(let bits): capabilities = bits
        case .refused(let message): return try refuse(order, .orderRefused(message: message))
        case .full(let message): return try refuse(order, .noPlace(message: message))
        }
        do throws(SetUpFailure) {
            attempts[order.attempt.value] = try WorkerAttempt(
                order, limits: limits, capabilities: capabilities, by: forkServer, now: .now)
        } catch {
            try refuse(order, error.cause)
        }
    }

    /// Ends an attempt that no process was made for.
    private func refuse(_ order: AttemptOrder, _ cause: EndCause) throws {
        let ending = AttemptExit(reply: .none, exit: .notStarted, cause: cause, usage: .none)
        try outbox.send(.finished(attempt: order.attempt, sequence: 0, exit: ending))
    }
}

// MARK: - Fork server and tasks

extension Worker {
    /// Takes what the fork server says; false when it is gone.
    private func serveForkServer() throws -> Bool {
        while let event = try forkServer.receive() {
            switch event {
            case .confined(let key, let held, let missing):
                guard let attempt = attempts[key] else { continue }
                let layers = LayerReport(
                    held: held.map(\.name),
                    missing: missing.map {
                        LayerFailure(layer: $0.layer.name, errno: $0.errno, detail: $0.detail)
                    })
                try perform(attempt.record.confined(layers, at: .now()), attempt)
                attempt.isListening = true
                if !isThrottled { attempt.descriptors.forEach(listen) }
            case .refused(let key, let layer, let code, let detail):
                attempts[key]?.record.refused(
                    LayerFailure(layer: layer.name, errno: code, detail: detail))
            case .denied(let key, let name, let number, let arguments):
                attempts[key]?.record.denied(name: name, number: number, arguments: arguments)
            case .ended(let key, let status, let wall, let usage):
                try finish(key, status, wall, usage)
            case .closed:
                return false
            }
        }
        return true
    }

    private func finish(
        _ key: UInt64, _ status: WaitStatus, _ wall: Duration, _ usage: CgroupUsage
    ) throws {
        guard let attempt = attempts[key] else { return }
        attempt.descriptors.forEach(ignore)
        try drainSocket(attempt)
        try drain(attempt)
        attempts[key] = nil
        let actions = attempt.record.ended(
            ProcessExit(status), usage: ResourceUsage(wall, usage),
            outOfMemory: usage.outOfMemoryKills > 0,
            codeMemoryRefusals: usage.codeMemoryRefusals, at: .now())
        try perform(actions, attempt)
    }

    private func relay(descriptor: Int32) throws {
        guard let attempt = attempts.values.first(where: { $0.descriptors.contains(descriptor) })
        else { return }
        guard descriptor == attempt.socket.descriptor else {
            if !outbox.isBlocked { _ = try relayOutput(attempt, descriptor) }
            return
        }
        for _ in 0..<Self.framesPerTurn {
            guard attempt.isListening, !outbox.isBlocked else { return }
            guard try relayFrame(attempt) else { return }
        }
    }

    /// Relays one frame; false where there is none.
    private func relayFrame(_ attempt: WorkerAttempt) throws -> Bool {
        switch attempt.socket.receive(&buffer) {
        case .frame(let frame):
            try perform(attempt.record.received(frame, at: .now(), now: .now), attempt)
            guard attempt.record.isViolated else { return true }
            stopListening(attempt)
            return false
        case .violation(let message):
            try perform(attempt.record.violated(message), attempt)
            stopListening(attempt)
            return false
        case .nothing: return false
        case .closed:
            stopListening(attempt)
            return false
        }
    }

    private func stopListening(_ attempt: WorkerAttempt) {
        attempt.isListening = false
        ignore(attempt.socket.descriptor)
    }

    /// Relays one portion of output; how many bytes it had.
    ///
    /// A small one, so that two pipes that both have something come in turn, nearly as they were
    /// written.
    private func relayOutput(_ attempt: WorkerAttempt, _ descriptor: Int32) throws -> Int {
        let isError = descriptor == attempt.errors.descriptor
        let received =
            isError ? attempt.errors.read(&portion) : attempt.output.read(&portion)
        let stream = isError ? attempt.errors.stream : attempt.output.stream
        switch received {
        case .lines(let lines, let bytes):
            let at = Instant.now()
            for line in lines {
                try perform(attempt.record.wrote(line, on: stream, at: at), attempt)
            }
            return bytes
        case .closed:
            ignore(descriptor)
            return 0
        case .nothing: return 0
        }
    }

    /// Takes what the tree left in its socket. Bounded, as somebody outside of it may hold that too.
    private func drainSocket(_ attempt: WorkerAttempt) throws {
        guard attempt.isListening else { return }
        for _ in 0..<Self.drainFrames where try !relayFrame(attempt) { return }
    }

    /// Takes what the tree left in its pipes. Bounded, as somebody outside of it may hold one open.
    private func drain(_ attempt: WorkerAttempt) throws {
        var left = Self.drainBytes
        var count = 1
        while left > 0, count > 0 {
            count = 0
            for descriptor in [attempt.output.descriptor, attempt.errors.descriptor]
            where descriptor >= 0 {
                count += try relayOutput(attempt, descriptor)
            }
            left -= count
        }
        let at = Instant.now()
        for (rest, stream) in [
            (attempt.output.finish(), attempt.output.stream),
            (attempt.errors.finish(), attempt.errors.stream),
        ] {
            guard let rest else { continue }
            try perform(attempt.record.wrote(rest, on: stream, at: at), attempt)
        }
    }

    private func perform(_ actions: [AttemptRecord.Action], _ attempt: WorkerAttempt) throws {
        for action in actions {
            switch action {
            case .report(let report): try outbox.send(report)
            case .cancel(let reason, let grace):
                attempt.socket.send(
                    .cancel(attempt: attempt.record.order.attempt, reason: reason, grace: grace))
            case .kill: try forkServer.kill(attempt: attempt.record.order.attempt.value)
            }
        }
    }
}
