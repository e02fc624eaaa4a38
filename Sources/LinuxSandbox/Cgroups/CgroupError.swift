// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import LinuxSystem
import SystemPackage

/// A cgroup operation that the kernel refused or that this host cannot do.
package struct CgroupError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What was tried, as `write`.
    package var operation: String
    /// The file or directory, as far as it is known.
    package var subject: String
    /// The errno of the refusing call.
    package var errno: Int32

    package init(operation: String, subject: String, errno: Int32) {
        self.operation = operation
        self.subject = subject
        self.errno = errno
    }

    init(_ error: SystemError) {
        self.init(
            operation: error.operation, subject: error.path,
            errno: (error.errno ?? .notPermitted).rawValue)
    }

    /// Whether nothing is there.
    var isMissing: Bool { Errno(rawValue: errno) == .noSuchFileOrDirectory }

    /// Makes a call whose failure is told as one of cgroups.
    static func telling<Value>(
        _ body: () throws(SystemError) -> Value
    ) throws(CgroupError) -> Value {
        do throws(SystemError) {
            return try body()
        } catch {
            throw CgroupError(error)
        }
    }

    /// Makes a call whose failure is told with its operation and subject.
    static func telling<Value: ~Copyable>(
        _ operation: @autoclosure () -> String, _ subject: @autoclosure () -> String,
        _ body: () throws(Errno) -> Value
    ) throws(CgroupError) -> Value {
        do throws(Errno) {
            return try body()
        } catch {
            throw CgroupError(operation: operation(), subject: subject(), errno: error.rawValue)
        }
    }

    /// One line: what failed, on what, why.
    package var description: String { "cannot \(operation) '\(subject)': errno \(errno)" }
}
