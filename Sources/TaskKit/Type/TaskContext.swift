// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

public import AicoCore
import AicoWire

/// What a running task knows of its attempt and can say while it runs.
public struct TaskContext: Sendable {
    /// How important a log line is.
    public enum Level: UInt8, Sendable, CaseIterable {
        /// For whoever debugs the type.
        case debug = 0
        /// What happened.
        case info = 1
        /// Something to look at; the task goes on.
        case warning = 2
        /// Something failed.
        case error = 3
    }

    /// The task's id, as `user.backup`.
    public let taskID: String
    /// The execution's id, a lower-case UUID; the same over all its attempts.
    public let executionID: String
    /// 1 for the first try.
    public let attempt: Int
    /// The planned instant: with `taskID` the idempotency key of the work.
    public let occurrence: Instant
    /// When the worker cancels the attempt for its time limit.
    public let deadline: ContinuousClock.Instant

    let channel: any TaskChannel

    init(
        taskID: String, executionID: String, attempt: Int, occurrence: Instant,
        deadline: ContinuousClock.Instant, channel: any TaskChannel
    ) {
        self.taskID = taskID
        self.executionID = executionID
        self.attempt = attempt
        self.occurrence = occurrence
        self.deadline = deadline
        self.channel = channel
    }

    /// What is left until `deadline`, never negative.
    public var remaining: Duration { max(.zero, ContinuousClock.now.duration(to: deadline)) }

    /// Adds a line to the execution's log; a text of several lines becomes several.
    ///
    /// Waits where the worker does not keep up. Of a flood the first and the last lines are kept,
    /// and a line between them says how many were left out; a line that is too long is cut.
    public func log(_ level: Level, _ message: String) {
        for line in message.split(separator: "\n", omittingEmptySubsequences: false) {
            channel.send(.log(stream: level.stream, line: String(line)))
        }
    }

    /// Adds a line of level info.
    public func log(_ message: String) { log(.info, message) }

    /// The task's standard output, for types that run programs: its lines become lines of the log.
    ///
    /// It is a pipe that the worker reads. Must not be closed.
    public var outputDescriptor: Int32 { channel.outputDescriptor }

    /// The task's standard error, as `outputDescriptor`.
    public var errorDescriptor: Int32 { channel.errorDescriptor }

    /// Says how far the work is: `fraction` of 0 to 1, or nil where it cannot be known.
    public func progress(_ fraction: Double?, _ message: String = "") {
        channel.send(.progress(fraction: fraction, message: message))
    }

    /// Says what the task's command left running, before the attempt's end kills it.
    package func tell(of left: LeftBehind) { channel.send(.leftBehind(left)) }

    /// Whether the attempt is to end: cancelled by someone, or out of time.
    ///
    /// Asks the kernel, so it is true at once also in code that never suspends; a call costs
    /// about a microsecond. Swift's own `Task.isCancelled` follows at the next suspension.
    public var isCancelled: Bool { channel.isCancelled }

    /// A descriptor for poll(2) that turns readable, and stays so, once `isCancelled` is true.
    ///
    /// Must not be read from or closed.
    public var cancellationDescriptor: Int32 { channel.cancellationDescriptor }

    /// Throws `TaskCancelled` where `isCancelled`.
    public func checkCancellation() throws(TaskCancelled) {
        if isCancelled { throw TaskCancelled() }
    }
}

/// Thrown by `TaskContext.checkCancellation()`.
public struct TaskCancelled: Error, Sendable, Equatable, CustomStringConvertible {
    /// Makes the error.
    public init() {}

    /// A sentence for the execution's record.
    public var description: String { "ended on request" }
}

extension TaskContext.Level {
    /// The stream of the execution's log that lines of this level belong to.
    var stream: LogStream {
        switch self {
        case .debug: .debug
        case .info: .info
        case .warning: .warning
        case .error: .error
        }
    }
}
