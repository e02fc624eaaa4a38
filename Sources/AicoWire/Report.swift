// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

public import AicoCore

/// What a worker tells the scheduler, one per frame on the class's `reports` pipe.
///
/// `sequence` counts a single attempt's reports from 0 without gaps; the scheduler drops and
/// records any other order.
public enum Report: Sendable, Equatable {
    /// The worker is ready; sent once after its start, before any other report.
    case hello(processID: UInt32, capacity: UInt32, layers: LayerReport)
    /// The answer to `Order.ping`.
    case pong(nonce: UInt64)
    /// The task process passed its last layer and runs the type's code. `layers` held for it.
    case started(attempt: AttemptKey, sequence: UInt32, layers: LayerReport, at: Instant)
    /// How far the task says it is: 0 to 1, or nil where it cannot know.
    case progress(attempt: AttemptKey, sequence: UInt32, fraction: Double?, message: String)
    /// One line of output.
    case log(attempt: AttemptKey, sequence: UInt32, stream: LogStream, at: Instant, line: String)
    /// The attempt's process tree is gone. The last report of an attempt.
    case finished(attempt: AttemptKey, sequence: UInt32, ending: Ending)
}

/// Where a line of output came from.
public enum LogStream: UInt8, Sendable, CaseIterable {
    case debug = 0
    case info = 1
    case warning = 2
    case error = 3
    case standardOutput = 4
    case standardError = 5

    /// The name used in JSON and on the command line.
    public var name: String {
        switch self {
        case .debug: "debug"
        case .info: "info"
        case .warning: "warning"
        case .error: "error"
        case .standardOutput: "stdout"
        case .standardError: "stderr"
        }
    }
}

/// Which confinement layers held, and the first that did not.
public struct LayerReport: Sendable, Equatable {
    /// Names of layers in the order applied, as `seccomp`.
    public var held: [String]
    /// Layers marked optional in the profile that the kernel refused: name and errno.
    public var missing: [LayerFailure]

    /// Makes a report.
    public init(held: [String], missing: [LayerFailure]) {
        self.held = held
        self.missing = missing
    }
}

/// A confinement layer that the kernel refused.
public struct LayerFailure: Sendable, Equatable {
    /// The layer's name, as `landlock`.
    public var layer: String
    /// The errno of the refusing call.
    public var errno: Int32
    /// The call or path at which it was refused; may be empty.
    public var detail: String

    /// Makes a failure.
    public init(layer: String, errno: Int32, detail: String) {
        self.layer = layer
        self.errno = errno
        self.detail = detail
    }
}

/// How an attempt ended, as the worker and the fork server saw it from outside the task.
public struct Ending: Sendable, Equatable {
    /// The task's own word, or that it had none.
    public var verdict: Verdict
    /// The task process's wait status.
    public var exit: ExitStatus
    /// What the worker or fork server did to it, if anything: the first cause.
    public var cause: EndCause?
    /// CPU time, memory and process peaks.
    public var usage: ResourceUsage

    /// Makes an ending.
    public init(verdict: Verdict, exit: ExitStatus, cause: EndCause?, usage: ResourceUsage) {
        self.verdict = verdict
        self.exit = exit
        self.cause = cause
        self.usage = usage
    }
}

/// What the task itself said of its end; hostile until checked.
public enum Verdict: Sendable, Equatable {
    /// It returned a result: one JSON value in UTF-8, at most 64 KiB.
    case succeeded(result: [UInt8])
    /// It threw; `permanent` means that a retry cannot help.
    case failed(permanent: Bool, message: String)
    /// It ended without a word.
    case none
}

/// A process's wait status.
public enum ExitStatus: Sendable, Equatable {
    case exited(code: Int32)
    case signaled(signal: Int32)
    /// No process came to be.
    case notStarted
}

/// Why an attempt ended other than by itself.
public enum EndCause: Sendable, Equatable {
    /// A layer that the profile asks for was refused; the task's code never ran.
    case layerRefused(LayerFailure)
    /// The type is unknown to the worker or its config was refused.
    case orderRefused(message: String)
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
public struct ResourceUsage: Sendable, Equatable {
    /// From clone to reap.
    public var wall: Duration
    /// User CPU time of the process tree.
    public var userCPU: Duration
    /// System CPU time of the process tree.
    public var systemCPU: Duration
    /// The cgroup's peak memory in bytes; nil where the backend has no peak.
    public var peakMemoryBytes: UInt64?
    /// The cgroup's peak number of processes and threads; nil where the backend has no peak.
    public var peakProcesses: UInt64?
    /// How often the pids limit refused a fork.
    public var processLimitHits: UInt64

    /// Makes a usage record.
    public init(
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
}
