// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Glibc
import LinuxSandbox

/// An attempt in the worker: its record, its socket and its output.
final class Attempt {
    var record: AttemptRecord
    let socket: AttemptSocket
    var output: OutputPipe
    var errors: OutputPipe
    /// Whether the task's frames are read: from its last layer on, until it closes its end.
    var isListening = false

    /// Makes socket and pipes, leaves the order in the socket, and has the process made.
    init(
        _ order: AttemptOrder, capabilities: UInt64, by forkServer: ForkServer,
        now: ContinuousClock.Instant
    ) throws(SetUpFailure) {
        var taskEnd: Int32 = -1
        var writing: (output: Int32, errors: Int32) = (-1, -1)
        defer {
            for end in [taskEnd, writing.output, writing.errors] where end >= 0 { close(end) }
        }
        record = AttemptRecord(order: order, now: now)
        socket = try AttemptSocket(taskEnd: &taskEnd)
        output = try OutputPipe(.standardOutput, writing: &writing.output)
        errors = try OutputPipe(.standardError, writing: &writing.errors)
        // Before the fork: the task finds its order when it first looks.
        try socket.send(run: order, output: writing.output, errors: writing.errors)
        do throws(SandboxError) {
            try forkServer.spawn(
                attempt: order.attempt.value, capabilities: capabilities, socket: taskEnd)
        } catch {
            throw SetUpFailure(error)
        }
    }

    /// Its descriptors that are still open, in the order to be read.
    var descriptors: [Int32] {
        [isListening ? socket.descriptor : -1, output.descriptor, errors.descriptor]
            .filter { $0 >= 0 }
    }
}
