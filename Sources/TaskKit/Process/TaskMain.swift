// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import CLinux
import Glibc
import LinuxSystem
import Synchronization
import SystemPackage

/// What runs in a task process after its last layer.
package enum TaskMain {
    /// Exit codes of a task process that did not succeed, beside those that its type chooses.
    enum ExitCode {
        /// The type failed without a code of its own.
        static let failed: Int32 = 1
        /// The config was refused, as EX_CONFIG of sysexits.h.
        static let refused: Int32 = 78
        /// The worker spoke another language; nothing ran.
        static let noOrder: Int32 = 70
    }

    /// Reads the run order from `descriptor`, runs its type, says how it ended, and exits.
    package static func run(_ types: [any ScheduledTask.Type], descriptor: Int32) -> Never {
        let socket = TaskSocket(MessageSocket(owning: Descriptor(owning: descriptor)))
        let order: AttemptOrder
        do {
            order = try socket.receiveOrder()
        } catch {
            _exit(ExitCode.noOrder)
        }
        if Canary.isType(order.taskType) { Canary.run(socket) }
        guard let type = types.first(where: { $0.id == order.taskType }) else {
            refuse(socket, "this worker has no type \"\(order.taskType)\"")
        }
        run(type, order, socket)
    }

    private static func run<Type: ScheduledTask>(
        _: Type.Type, _ order: AttemptOrder, _ socket: TaskSocket
    ) -> Never {
        let config: Type.Config
        do {
            config = try Type.Config.read(try JSONValue.parse(order.config))
        } catch {
            refuse(socket, "\(error)")
        }
        let context = TaskContext(
            taskID: order.taskID, executionID: order.executionID,
            attempt: Int(order.attemptNumber), occurrence: order.occurrence,
            deadline: .now + order.timeout, channel: socket)
        let exitCode = finish(Type(), config, context, socket)
        _exit(exitCode)
    }

    /// Runs a type on the calling thread and passes its last frame up; gives the exit code.
    static func finish<Type: ScheduledTask>(
        _ type: Type, _ config: Type.Config, _ context: TaskContext, _ channel: any TaskChannel
    ) -> Int32 {
        let executor = MainThreadExecutor()
        let end = TaskEnd()
        let task = Task(executorPreference: executor) {
            let (frame, exitCode) = await outcome(type, config, context)
            // The worker reads on after the last frame, but a process that blocks here is killed.
            aico_flush_output()
            channel.send(frame)
            end.exitCode.store(exitCode, ordering: .relaxed)
            end.isDone.store(true, ordering: .releasing)
        }
        do throws(Errno) {
            try executor.run(cancellation: channel.cancellationDescriptor, isDone: end.isDone) {
                task.cancel()
            }
        } catch {
            let message = "cannot wait for the type's code: \(error)"
            channel.send(.failed(permanent: false, message: message))
            return ExitCode.failed
        }
        return end.exitCode.load(ordering: .relaxed)
    }

    private final class TaskEnd: Sendable {
        let exitCode = Atomic<Int32>(0)
        let isDone = Atomic(false)
    }

    /// Runs the type and says how it ended, as last frame and exit code.
    static func outcome<Type: ScheduledTask>(
        _ type: Type, _ config: Type.Config, _ context: TaskContext
    ) async -> (TaskFrame, exitCode: Int32) {
        do {
            let output = try await type.run(config, context)
            let result = try JSONValue(encoding: output).serialized()
            guard result.count <= WireLimits.maximumBlobBytes else {
                return failure(
                    "the result has \(result.count) bytes, limit \(WireLimits.maximumBlobBytes)")
            }
            return (.succeeded(result: result), 0)
        } catch let error as TaskFailure {
            return (frame(of: error), error.exitCode)
        } catch let error as ConfigError {
            return (.failed(permanent: true, message: error.description), ExitCode.refused)
        } catch let error as EncodingError {
            return failure("the result cannot be encoded: \(error)")
        } catch {
            return (.failed(permanent: false, message: "\(error)"), ExitCode.failed)
        }
    }

    private static func frame(of error: TaskFailure) -> TaskFrame {
        guard error.isOfProgram else {
            return .failed(permanent: error.isPermanent, message: error.message)
        }
        return .programFailed(
            permanent: error.isPermanent, signal: error.signal.map { UInt8(clamping: $0) } ?? 0,
            message: error.message)
    }

    private static func failure(_ message: String) -> (TaskFrame, exitCode: Int32) {
        (.failed(permanent: true, message: message), ExitCode.failed)
    }

    private static func refuse(_ socket: TaskSocket, _ message: String) -> Never {
        socket.send(.refused(message: message))
        _exit(ExitCode.refused)
    }
}
