// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

internal import LinuxSystem
package import SystemPackage

/// Says which key operation failed, on what, and why; never holds key bytes or sealed text.
package enum KeyError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A file operation was refused by the kernel.
    case file(operation: String, path: String, errno: Errno)
    /// A key file's owner or mode would let somebody else read or replace it.
    case unsafeFile(path: String, reason: String)
    /// A key file does not hold what it must.
    case malformedFile(path: String, reason: String)
    /// There is a database, but not the master key that it was sealed with.
    case masterKeyMissing(path: String)
    /// The master key is not the one that the database was made with.
    case masterKeyWrong(path: String, database: String)
    /// A sealed value is too short or of another format.
    case malformedSeal(subject: String)
    /// A value was sealed under a version that the ring does not hold.
    case unknownVersion(subject: String, version: UInt32)
    /// A sealed value was changed, moved to another row, or sealed under another master key.
    case notAuthentic(subject: String)

    /// Says of a file what could not be done, and why.
    init(_ error: SystemError) {
        self =
            switch error.cause {
            case .errno(let code):
                .file(operation: error.operation, path: error.path, errno: code)
            case .untrusted(let reason): .unsafeFile(path: error.path, reason: reason)
            }
    }

    /// Makes a call whose failure is told as one of keys.
    static func telling<Value>(
        _ body: () throws(SystemError) -> Value
    ) throws(KeyError) -> Value {
        do throws(SystemError) {
            return try body()
        } catch {
            throw KeyError(error)
        }
    }

    /// The error as a sentence.
    package var description: String {
        switch self {
        case .file(let operation, let path, let errno):
            "cannot \(operation) \"\(path)\": \(errno)"
        case .unsafeFile(let path, let reason):
            "cannot use key file \"\(path)\": \(reason)"
        case .malformedFile(let path, let reason):
            "cannot read key file \"\(path)\": \(reason)"
        case .masterKeyMissing(let path):
            "cannot open master key \"\(path)\": it is missing, and the database was sealed with it; "
                + "put the saved key back, or move the store's directory away to begin anew; "
                + "the store is as it was"
        case .masterKeyWrong(let path, let database):
            "cannot use master key \"\(path)\": it is not the key that the database "
                + "\"\(database)\" was made with; put the saved key back, or move the store's "
                + "directory away to begin anew; the store is as it was"
        case .malformedSeal(let subject):
            "cannot open sealed \(subject): not a sealed value"
        case .unknownVersion(let subject, let version):
            "cannot open sealed \(subject): data key version \(version) is not in the ring"
        case .notAuthentic(let subject):
            "cannot open sealed \(subject): it was changed, moved, or sealed with another key"
        }
    }
}
