// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Thrown by a task to end its attempt as failed.
public struct TaskFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// Whether a retry cannot help.
    public let isPermanent: Bool
    /// What went wrong, in words for the task's owner; sealed in the store.
    public let message: String
    /// The code that the task process exits with, 1 to 255.
    public let exitCode: Int32

    /// The signal that ended a program of the task; nil where the task itself failed.
    public let signal: Int32?
    /// Whether a program of the task failed, whose last line on standard error says more.
    let isOfProgram: Bool

    /// A failure that may pass: the retry policy decides about another attempt.
    public static func transient(_ message: String, exitCode: Int32 = 1) -> TaskFailure {
        TaskFailure(isPermanent: false, message: message, exitCode: exitCode)
    }

    /// A failure that a retry cannot help: the execution ends as failed.
    public static func permanent(_ message: String, exitCode: Int32 = 1) -> TaskFailure {
        TaskFailure(isPermanent: true, message: message, exitCode: exitCode)
    }

    /// A program that the task ran failed: by `signal` where there is one, else by its exit code.
    ///
    /// The attempt ends as if that had happened to the task itself, and the last line that was
    /// written to standard error is put behind the message.
    public static func program(
        _ message: String, isPermanent: Bool, exitCode: Int32, signal: Int32? = nil
    ) -> TaskFailure {
        TaskFailure(
            isPermanent: isPermanent, message: message, exitCode: exitCode, signal: signal,
            isOfProgram: true)
    }

    private init(
        isPermanent: Bool, message: String, exitCode: Int32, signal: Int32? = nil,
        isOfProgram: Bool = false
    ) {
        self.signal = signal
        self.isOfProgram = isOfProgram
        self.isPermanent = isPermanent
        self.message = message
        self.exitCode = (1...255).contains(exitCode) ? exitCode : 1
    }

    /// The message.
    public var description: String { message }
}
