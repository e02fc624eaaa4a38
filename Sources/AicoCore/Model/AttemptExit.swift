// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// How an attempt ended, as the worker and the fork server saw it from outside the task.
package struct AttemptExit: Sendable, Hashable {
    /// The task's own word, or that it had none.
    package var reply: TaskReply
    /// The task process's wait status.
    package var exit: ProcessExit
    /// What the worker or fork server did to it, if anything: the first cause.
    package var cause: EndCause?
    /// CPU time, memory and process peaks.
    package var usage: ResourceUsage
    /// What its command left running; nil where it left nothing, or where nobody could look.
    package var leftBehind: LeftBehind?

    package init(
        reply: TaskReply, exit: ProcessExit, cause: EndCause?, usage: ResourceUsage,
        leftBehind: LeftBehind? = nil
    ) {
        self.reply = reply
        self.exit = exit
        self.cause = cause
        self.usage = usage
        self.leftBehind = leftBehind
    }
}

/// What the task itself said of its end; hostile until checked.
package enum TaskReply: Sendable, Hashable {
    /// It returned a result: one JSON value in UTF-8, at most 64 KiB.
    case succeeded(result: [UInt8])
    /// It threw; `permanent` means that a retry cannot help.
    case failed(permanent: Bool, message: String)
    /// It ended without a word.
    case none
}

/// A process's wait status.
package enum ProcessExit: Sendable, Hashable {
    case exited(code: Int32)
    case signaled(signal: Int32)
    /// No process came to be.
    case notStarted
}

/// Why an attempt ended other than by itself.
package enum EndCause: Sendable, Hashable {
    /// A layer that the profile asks for was refused, and the task's code never ran; or it ran, and
    /// failed, where something that its class is granted was not there.
    case layerRefused(LayerFailure)
    /// The type is unknown to the worker or its config was refused.
    case orderRefused(message: String)
    /// There was no place to run it in at that moment: no process came to be, or its class had no
    /// memory left for it.
    case noPlace(message: String)
    /// Its process ended before the last layer, without saying that one was refused.
    case diedInSetUp(message: String)
    /// The wall-clock limit passed.
    case timedOut
    /// A cancel order came.
    case cancelled(CancelReason)
    /// The memory limit was hit and the kernel's OOM killer acted in the attempt's cgroup.
    case outOfMemory
    /// A denied system call, by name with its six arguments.
    case deniedSyscall(name: String, number: Int32, arguments: [UInt64])
    /// The attempt's channel broke a rule of the protocol.
    case protocolViolation(message: String)
}

/// What an attempt used.
package struct ResourceUsage: Sendable, Hashable {
    /// From clone to reap.
    package var wall: Duration
    /// User CPU time of the process tree.
    package var userCPU: Duration
    /// System CPU time of the process tree.
    package var systemCPU: Duration
    /// The cgroup's peak memory in bytes; nil where the backend has no peak.
    package var peakMemoryBytes: UInt64?
    /// The cgroup's peak number of processes and threads; nil where the backend has no peak.
    package var peakProcesses: UInt64?
    /// How often the pids limit refused a fork.
    package var processLimitHits: UInt64

    package init(
        wall: Duration, userCPU: Duration, systemCPU: Duration, peakMemoryBytes: UInt64?,
        peakProcesses: UInt64?, processLimitHits: UInt64
    ) {
        self.wall = wall
        self.userCPU = userCPU
        self.systemCPU = systemCPU
        self.peakMemoryBytes = peakMemoryBytes
        self.peakProcesses = peakProcesses
        self.processLimitHits = processLimitHits
    }

    /// Nothing was used: no process came to be.
    package static let none = ResourceUsage(
        wall: .zero, userCPU: .zero, systemCPU: .zero, peakMemoryBytes: nil, peakProcesses: nil,
        processLimitHits: 0)
}
