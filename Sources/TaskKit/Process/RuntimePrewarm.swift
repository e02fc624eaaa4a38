// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import LinuxSystem

/// A type that names what of its own code an attempt goes through first.
package protocol PrewarmedTask: ScheduledTask {
    /// Goes that way without any effect, by calls that every attempt of the type makes, and leaves
    /// neither a thread nor a child behind.
    static func prewarm(_ context: TaskContext)
}

/// Does ahead what every task process does first.
///
/// What the Swift runtime looks up then (metadata, conformances) is looked up once in the fork
/// server, and inherited by the task processes, which are cloned from it. The pages of the program
/// are not inherited: a task process that was made ahead touches them while it waits for its order.
enum RuntimePrewarm {
    /// In the fork server: goes the way of an attempt over a socket pair.
    static func run(_ types: [any ScheduledTask.Type]) {
        guard let pair = try? MessageSocket.Pair() else { return }
        let worker = pair.ours
        let socket = TaskSocket(pair.theirs)
        guard (try? worker.send(OrderCodec.encode(.run(order)))) != nil,
            let order = try? socket.receiveOrder()
        else { return }
        goThrough(order, types, socket)
    }

    /// In a task process that has no order yet and is confined: goes the same way without a socket.
    static func runConfined(_ types: [any ScheduledTask.Type]) {
        guard case .run(let order)? = try? OrderCodec.decode(OrderCodec.encode(.run(order)))
        else { return }
        goThrough(order, types, DiscardingChannel())
    }

    private static var order: AttemptOrder {
        AttemptOrder(
            attempt: AttemptKey(1), executionID: "00000000-0000-4000-8000-000000000000",
            taskID: Nothing.id, taskType: Nothing.id, attemptNumber: 1,
            occurrence: Instant(seconds: 0), timeout: .seconds(60), grace: .seconds(1),
            config: Array("{\"a\":[\"b\",1,{\"c\":true}]}".utf8))
    }

    private static func goThrough(
        _ order: AttemptOrder, _ types: [any ScheduledTask.Type], _ channel: any TaskChannel
    ) {
        guard !Canary.isType(order.taskType), (try? JSONValue.parse(order.config)) != nil
        else { return }
        let context = TaskContext(
            taskID: order.taskID, executionID: order.executionID,
            attempt: Int(order.attemptNumber), occurrence: order.occurrence,
            deadline: .now + order.timeout, channel: channel)
        for type in types where type.id != order.taskType {
            readNothing(type)
            (type as? any PrewarmedTask.Type)?.prewarm(context)
        }
        // What a struct goes through on its way to JSON, which a value that is JSON does not.
        _ = try? JSONValue(encoding: NoResult())
        guard let config = try? NoConfig.read(.object([:])) else { return }
        _ = TaskMain.finish(Nothing(), config, context, channel)
    }

    private static func readNothing<Type: ScheduledTask>(_: Type.Type) {
        _ = try? Type.Config.read(.object([:]))
        _ = Type.capabilities
        withExtendedLifetime(ObjectIdentifier(Type.Output.self)) {}
    }

    /// Says what a task says, and ends.
    private struct Nothing: ScheduledTask {
        static let id = "user.nothing"
        static let summary = ""

        func run(_ config: NoConfig, _ context: TaskContext) async throws -> JSONValue {
            context.log(context.taskID)
            context.progress(0.5, context.executionID)
            try context.checkCancellation()
            return ["exit_code": 0]
        }
    }

    /// Encodes frames and drops them.
    private struct DiscardingChannel: TaskChannel {
        func send(_ frame: TaskFrame) { _ = TaskFrameCodec.encode(frame) }
        var isCancelled: Bool { false }
        /// poll(2) passes over it.
        var cancellationDescriptor: Int32 { -1 }
        var outputDescriptor: Int32 { -1 }
        var errorDescriptor: Int32 { -1 }
    }
}
