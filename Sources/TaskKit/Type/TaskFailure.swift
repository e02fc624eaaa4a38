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

    /// A failure that may pass: the retry policy decides about another attempt.
    public static func transient(_ message: String, exitCode: Int32 = 1) -> TaskFailure {
        TaskFailure(isPermanent: false, message: message, exitCode: exitCode)
    }

    /// A failure that a retry cannot help: the execution ends as failed.
    public static func permanent(_ message: String, exitCode: Int32 = 1) -> TaskFailure {
        TaskFailure(isPermanent: true, message: message, exitCode: exitCode)
    }

    private init(isPermanent: Bool, message: String, exitCode: Int32) {
        self.isPermanent = isPermanent
        self.message = message
        self.exitCode = (1...255).contains(exitCode) ? exitCode : 1
    }

    /// The message.
    public var description: String { message }
}
