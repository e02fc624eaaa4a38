// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Glibc
import ZeroMQ

/// Class user with the benchmark's worker; this process stands in for the scheduler at the other end
/// of its pipes.
final class BenchClass {
    private let root: BenchRoot
    private let context: ZMQContext
    private let orders: ZMQSocket
    private let reports: ZMQSocket
    private var nextAttempt: UInt64 = 1

    init(_ arguments: BenchArguments) throws {
        root = try BenchRoot(arguments)
        context = try ZMQContext()
        orders = try ZMQSocket(.push, in: context)
        reports = try ZMQSocket(.pull, in: context)
        try orders.bind("ipc://\(root.endpoints)/orders")
        try reports.bind("ipc://\(root.endpoints)/reports")
        for name in ["orders", "reports"] { chmod("\(root.endpoints)/\(name)", 0o777) }
        try root.launch("aico-bench-worker")
        guard case .hello = try nextReport() else { throw BenchError("the worker said no hello") }
    }

    /// One attempt: order in, all layers, report out.
    func attempt() throws {
        let key = AttemptKey(nextAttempt)
        nextAttempt += 1
        let order = AttemptOrder(
            attempt: key, executionID: "00000000-0000-4000-8000-000000000000",
            taskID: "user.nothing", taskType: "user.nothing", attemptNumber: 1,
            occurrence: Instant(seconds: 0), timeout: .seconds(60), grace: .seconds(5),
            config: Array("{}".utf8))
        try orders.send([OrderCodec.encode(.run(order))])
        while true {
            guard case .finished(key, _, let ending) = try nextReport() else { continue }
            guard case .succeeded = ending.reply else {
                throw BenchError("the attempt ended otherwise: \(ending)")
            }
            return
        }
    }

    private func nextReport() throws -> Report {
        guard try reports.wait(for: .readable, timeout: .seconds(10)),
            let frames = try reports.receive(), let frame = frames.first
        else { throw BenchError("the worker says nothing") }
        return try ReportCodec.decode(frame)
    }

    func end() { root.end() }
}
