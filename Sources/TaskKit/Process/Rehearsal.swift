// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import LinuxSystem

/// Does once in the fork server what every task process does first.
///
/// What the Swift runtime looks up then (metadata, conformances) and the pages it touches are
/// inherited by every task process, which would otherwise each look them up and touch them anew.
/// No type's code is run, and no thread may be left behind: task processes are cloned from here.
struct Rehearsal: ScheduledTask {
    static let id = "user.rehearsal"
    static let summary = ""

    func run(_ config: NoConfig, _ context: TaskContext) async throws -> NoResult {
        context.log(context.taskID)
        context.progress(0.5, context.executionID)
        try context.checkCancellation()
        return NoResult()
    }

    /// Goes the way of an attempt over a socket pair, and reads an empty config of every type.
    static func run(_ types: [any ScheduledTask.Type]) {
        guard let pair = try? MessageSocket.Pair() else { return }
        let worker = pair.ours
        let socket = TaskSocket(pair.theirs)
        let order = AttemptOrder(
            attempt: AttemptKey(1), executionID: id, taskID: id, taskType: id, attemptNumber: 1,
            occurrence: Instant(seconds: 0), timeout: .seconds(60), grace: .seconds(1),
            config: Array("{}".utf8))
        guard (try? worker.send(OrderCodec.encode(.run(order)))) != nil else { return }
        guard let order = try? socket.receiveOrder() else { return }
        for type in types where type.id != order.taskType { readNothing(type) }
        guard let config = try? NoConfig.read(try JSONValue.parse(order.config)) else { return }
        let context = TaskContext(
            taskID: order.taskID, executionID: order.executionID,
            attempt: Int(order.attemptNumber), occurrence: order.occurrence,
            deadline: .now + order.timeout, channel: socket)
        _ = TaskMain.finish(Rehearsal(), config, context, socket)
    }

    private static func readNothing<Type: ScheduledTask>(_: Type.Type) {
        _ = try? Type.Config.read(.object([:]))
    }
}
