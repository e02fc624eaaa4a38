// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc
import LinuxSystem
import SystemPackage

/// Says what the scheduler could not do, on what, and why.
package struct SchedulerError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What was tried, as `open`.
    package let operation: String
    /// What it was tried on.
    package let subject: String
    /// Why it failed.
    package let reason: String

    package init(_ operation: String, _ subject: String, _ reason: String) {
        self.operation = operation
        self.subject = subject
        self.reason = reason
    }

    /// The error as one sentence.
    package var description: String { "cannot \(operation) \"\(subject)\": \(reason)" }

    /// Reads errno; to be called before anything else after a failed call.
    static func system(_ operation: String, _ subject: String) -> SchedulerError {
        let code = Errno(rawValue: errno)
        return SchedulerError(operation, subject, code.description)
    }

    /// Makes a call whose failure is told as one of the scheduler's.
    static func telling<Value: ~Copyable>(
        _ body: () throws(SystemError) -> Value
    ) throws(SchedulerError) -> Value {
        do throws(SystemError) {
            return try body()
        } catch {
            throw SchedulerError(error.operation, error.path, error.reason)
        }
    }
}
