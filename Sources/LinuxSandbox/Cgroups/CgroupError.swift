// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// A cgroup operation that the kernel refused or that this host cannot do.
public struct CgroupError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What was tried, as `write`.
    public var operation: String
    /// The file or directory, as far as it is known.
    public var subject: String
    /// The errno of the refusing call.
    public var errno: Int32

    /// Makes an error.
    public init(operation: String, subject: String, errno: Int32) {
        self.operation = operation
        self.subject = subject
        self.errno = errno
    }

    /// One line: what failed, on what, why.
    public var description: String { "cannot \(operation) '\(subject)': errno \(errno)" }
}
