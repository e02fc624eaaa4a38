// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc
import LinuxSandbox
import LinuxSystem
import SystemPackage

/// Why the supervisor cannot start or go on.
struct SupervisorError: Error, Equatable, CustomStringConvertible {
    /// What was tried, as `open`.
    var operation: String
    /// What it was tried on.
    var subject: String
    /// What refused it.
    var reason: Reason

    /// The cause of an error.
    enum Reason: Equatable {
        case errno(Errno)
        /// A path's owner, type or mode is not one that root may trust.
        case untrusted(String)
        /// A helper process gave something that is not what it should be.
        case invalid(String)
    }

    var description: String {
        switch reason {
        case .errno(let code): "cannot \(operation) '\(subject)': \(code)"
        case .untrusted(let text): "cannot \(operation) '\(subject)': \(text)"
        case .invalid(let text): "cannot \(operation) '\(subject)': \(text)"
        }
    }

    /// Makes an error from errno; subject and operation are made after errno is read.
    static func system(
        _ operation: @autoclosure () -> String, _ subject: @autoclosure () -> String
    ) -> SupervisorError {
        let code = Errno(rawValue: errno)
        return SupervisorError(
            operation: operation(), subject: subject(), reason: .errno(code))
    }

    init(_ error: SystemError) {
        operation = error.operation
        subject = error.path
        reason =
            switch error.cause {
            case .errno(let code): .errno(code)
            case .untrusted(let text): .untrusted(text)
            }
    }

    init(launching path: String, _ error: LaunchError) {
        operation = "launch (layer \(error.layer.name))"
        subject = path
        reason = .errno(Errno(rawValue: error.errno))
    }

    init(operation: String, subject: String, reason: Reason) {
        self.operation = operation
        self.subject = subject
        self.reason = reason
    }
}
