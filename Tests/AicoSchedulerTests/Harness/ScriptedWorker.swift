// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Testing
import ZeroMQ

/// A worker without tasks: a test reads its orders and writes its reports, over the real sockets.
final class ScriptedWorker {
    private let orders: ZMQSocket
    private let reports: ZMQSocket
    private let canaryType: String
    private let directory: String
    /// Orders that came while only pings and the canary's were answered.
    private var pending: [Order] = []

    /// How many attempts it says that it runs at once.
    private let capacity: UInt32
    /// The longest an attempt may take by its profile, as it says.
    private let wallLimit: Duration?

    init(
        _ workerID: WorkerID, root: String, capacity: UInt32 = 64, wallLimit: Duration? = nil
    ) throws {
        canaryType = workerID.taskClass.canaryType
        let context = try ZMQContext()
        directory = "\(root)/run/aico/worker/\(workerID.number)"
        self.capacity = capacity
        self.wallLimit = wallLimit
        orders = try ZMQSocket(.pull, in: context)
        reports = try ZMQSocket(.push, in: context)
        try reports.setLinger(.seconds(10))
        try orders.connect("ipc://\(directory)/orders")
        try reports.connect("ipc://\(directory)/reports")
    }

    /// Where one of its sockets is.
    func path(_ name: String) -> String { "\(directory)/\(name)" }

    func report(_ report: Report) throws { try send(ReportCodec.encode(report)) }

    func send(_ frames: [UInt8]...) throws {
        try reports.send(frames, nonblocking: false)
    }

    /// Answers the ping that shows that the worker lives.
    func connect() throws {
        try report(
            .hello(
                processID: 1, capacity: capacity, wallLimit: wallLimit,
                layers: LayerReport(held: ["seccomp"], missing: [])))
        let order = try #require(try next())
        guard case .ping(let nonce) = order else { throw Unexpected(order: order) }
        try report(.pong(nonce: nonce))
    }

    /// Answers the pings and the canary's order that have come; others are kept for `next`.
    func answerPings() throws {
        while let frame = try orders.receive()?.first {
            let order = try OrderCodec.decode(frame)
            if try !answer(order) { pending.append(order) }
        }
    }

    /// Answers a ping, or the canary's order as a worker whose sandbox holds.
    private func answer(_ order: Order) throws -> Bool {
        switch order {
        case .ping(let nonce): try report(.pong(nonce: nonce))
        case .run(let run) where run.taskType == canaryType: try holdCanary(run)
        case .run, .cancel: return false
        }
        return true
    }

    /// Greets and gives the order of the canary, which is left to the test.
    func canary() throws -> AttemptOrder {
        try connect()
        while true {
            let order = try #require(try next())
            switch order {
            case .ping(let nonce): try report(.pong(nonce: nonce))
            case .run(let run): return run
            case .cancel: throw Unexpected(order: order)
            }
        }
    }

    /// Says that no way out was open and that its last call ended the canary.
    func holdCanary(_ run: AttemptOrder) throws {
        try start(run)
        try log(run, CanaryReport(open: []).line)
        try finish(
            run, sequence: 2, .none, exit: .signaled(signal: 9), cause: .denied("unshare"))
    }

    func log(_ run: AttemptOrder, sequence: UInt32 = 1, _ line: String) throws {
        try report(
            .log(
                attempt: run.attempt, sequence: sequence, stream: .info, at: run.occurrence,
                line: line))
    }

    /// The next order; pings are answered on the way. Nil where none comes in time.
    func next(within: Duration = .seconds(10), answeringPings: Bool = false) throws -> Order? {
        if !pending.isEmpty { return pending.removeFirst() }
        while try orders.wait(timeout: within) {
            guard let frame = try orders.receive()?.first else { continue }
            let order = try OrderCodec.decode(frame)
            if answeringPings, try answer(order) { continue }
            return order
        }
        return nil
    }

    func nextRun() throws -> AttemptOrder {
        let order = try #require(try next(answeringPings: true))
        guard case .run(let run) = order else { throw Unexpected(order: order) }
        return run
    }

    func start(_ run: AttemptOrder) throws {
        try report(
            .started(
                attempt: run.attempt, sequence: 0,
                layers: LayerReport(held: ["namespaces", "seccomp"], missing: []),
                at: run.occurrence))
    }

    func finish(
        _ run: AttemptOrder, sequence: UInt32 = 1, _ verdict: TaskReply = .succeeded(result: []),
        exit: ProcessExit = .exited(code: 0), cause: EndCause? = nil
    ) throws {
        var verdict = verdict
        if case .succeeded(result: []) = verdict { verdict = .succeeded(result: Array("1".utf8)) }
        try report(
            .finished(
                attempt: run.attempt, sequence: sequence,
                exit: AttemptExit(reply: verdict, exit: exit, cause: cause, usage: .none)))
    }
}

extension EndCause {
    /// A denied system call.
    static func denied(_ call: String) -> EndCause {
        .deniedSyscall(name: call, number: 272, arguments: [0x1000_0000, 0, 0, 0, 0, 0])
    }
}

struct Unexpected: Error {
    let order: Order
}

extension ResourceUsage {
    static let none = ResourceUsage(
        wall: .milliseconds(3), userCPU: .zero, systemCPU: .zero, peakMemoryBytes: 4096,
        peakProcesses: nil, processLimitHits: 0)
}
