// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import LinuxSandbox
import LinuxSystem
import SystemPackage

/// An attempt in the worker: its record, its socket and its output.
final class WorkerAttempt {
    var record: AttemptRecord
    let socket: AttemptSocket
    var output: OutputPipe
    var errors: OutputPipe
    /// Whether the task's frames are read: from its last layer on, until it closes its end.
    var isListening = false

    /// Makes socket and pipes, leaves the order in the socket, and has the process made.
    init(
        _ order: AttemptOrder, limits: LimitWords, capabilities: UInt64,
        by forkServer: ForkServer, now: ContinuousClock.Instant
    ) throws(SetUpFailure) {
        record = AttemptRecord(order: order, limits: limits, now: now)
        let pair = try SetUpFailure.telling("make its socket") { () throws(Errno) in
            try MessageSocket.Pair()
        }
        let taskEnd = pair.theirs
        socket = AttemptSocket(pair.ours)
        let standard = try OutputPipe.makePipe()
        let error = try OutputPipe.makePipe()
        let (output, errors) = (standard.writing.number, error.writing.number)
        // Before the fork: the task finds its order when it first looks.
        try socket.send(run: order, output: output, errors: errors)
        do throws(SandboxError) {
            try forkServer.spawn(
                attempt: order.attempt.value, capabilities: capabilities,
                socket: taskEnd.descriptor.number,
                // The canary shows that the sandbox holds, whatever the host lacks.
                isLenient: Canary.isType(order.taskType))
        } catch {
            throw SetUpFailure(error)
        }
        // The writing ends are closed here: only the task has them.
        self.output = OutputPipe(.standardOutput, standard.reading)
        self.errors = OutputPipe(.standardError, error.reading)
    }

    /// Its descriptors that are still open, in the order to be read.
    var descriptors: [Int32] {
        [isListening ? socket.descriptor : -1, output.descriptor, errors.descriptor]
            .filter { $0 >= 0 }
    }
}
