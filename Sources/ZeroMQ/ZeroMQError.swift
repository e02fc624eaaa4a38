// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CZeroMQ

/// Says which call of libzmq failed, on what, and with which errno.
package struct ZeroMQError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What was tried, as `bind`.
    package let operation: String
    /// The endpoint or option it was tried on; may be empty.
    package let subject: String
    /// The errno, libzmq's own numbers among them.
    package let code: Int32

    package init(operation: String, subject: String, code: Int32) {
        self.operation = operation
        self.subject = subject
        self.code = code
    }

    /// The error as one sentence.
    package var description: String {
        let reason = String(cString: zmq_strerror(code))
        return subject.isEmpty
            ? "cannot \(operation): \(reason)" : "cannot \(operation) \"\(subject)\": \(reason)"
    }

    /// Reads libzmq's errno; to be called before anything else after a failed call.
    static func last(_ operation: String, _ subject: @autoclosure () -> String) -> ZeroMQError {
        let code = zmq_errno()
        return ZeroMQError(operation: operation, subject: subject(), code: code)
    }
}
