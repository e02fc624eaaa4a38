// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import SystemPackage

/// What could not be done to a path, and why.
package struct SystemError: Error, Equatable, CustomStringConvertible {
    /// The kernel's reason, or ours.
    package enum Cause: Equatable, Sendable {
        case errno(Errno)
        /// The refusal is this module's: what it is, as the end of a sentence.
        case untrusted(String)
    }

    /// A verb: what was tried.
    package var operation: String
    /// What it was tried on.
    package var path: String
    /// Why it could not be done.
    package var cause: Cause

    package init(_ operation: String, _ path: String, _ errno: Errno) {
        self.init(operation, path, .errno(errno))
    }

    package init(_ operation: String, _ path: String, _ cause: Cause) {
        self.operation = operation
        self.path = path
        self.cause = cause
    }

    /// The kernel's reason; nil where the refusal is ours.
    package var errno: Errno? { if case .errno(let code) = cause { code } else { nil } }

    /// Whether nothing is there.
    package var isMissing: Bool { errno?.isMissing == true }

    /// Whether a link stands where none is followed.
    package var isLink: Bool { errno?.isLink == true }

    /// The system's words for the reason, or ours.
    package var reason: String {
        switch cause {
        case .errno(let code): code.description
        case .untrusted(let reason): reason
        }
    }

    /// One line: what failed, on what, why.
    package var description: String { "cannot \(operation) \"\(path)\": \(reason)" }
}

extension Descriptor {
    /// As `changeMode`; a failure names `path`.
    package func changeMode(_ mode: UInt32, of path: String) throws(SystemError) {
        try naming("change the mode of", path) { () throws(Errno) in try changeMode(mode) }
    }

    /// As `changeOwner`; a failure names `path`.
    package func changeOwner(
        user: UInt32, group: UInt32, of path: String
    ) throws(SystemError) {
        try naming("change the owner of", path) { () throws(Errno) in
            try changeOwner(user: user, group: group)
        }
    }

    /// Writes all bytes and what is held of them in memory; a failure names `path`.
    package func write(_ bytes: [UInt8], syncing path: String) throws(SystemError) {
        try naming("write", path) { () throws(Errno) in
            try write(bytes)
            try sync()
        }
    }

    /// As `duplicate`; a failure names `path`.
    package func duplicate(of path: String) throws(SystemError) -> Descriptor {
        try naming("open", path) { () throws(Errno) in try duplicate() }
    }
}

/// Makes a call whose failure is told with its operation and path.
func naming<Value: ~Copyable>(
    _ operation: @autoclosure () -> String, _ path: @autoclosure () -> String,
    _ body: () throws(Errno) -> Value
) throws(SystemError) -> Value {
    do {
        return try body()
    } catch {
        throw SystemError(operation(), path(), error)
    }
}
