// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

public import AicoKeys

/// Says which store operation failed, on what, and why; never holds a config, result or log text.
public struct StoreError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The closed set of causes.
    public enum Cause: Sendable, Equatable {
        /// Another process held the write lock for longer than the busy timeout; try again.
        case busy
        /// The disk is full or the file system is read-only.
        case noSpace
        /// The database file is damaged.
        case damaged
        /// A value is larger than the store takes.
        case tooLarge(bytes: Int, maximum: Int)
        /// The database was made by a newer version of this program.
        case newerSchema(String)
        /// A sealed value could not be made or opened.
        case sealed(KeyError)
        /// A row holds what this program never writes.
        case malformedRow(String)
        /// Any other refusal of SQLite: its extended result code and message.
        case database(code: Int32, message: String)
    }

    /// What was attempted, as `open`.
    public var operation: String
    /// The path or id it was about; may be empty.
    public var subject: String
    /// Why it failed.
    public var cause: Cause

    /// Makes an error.
    public init(operation: String, subject: String, cause: Cause) {
        self.operation = operation
        self.subject = subject
        self.cause = cause
    }

    /// The error as a sentence.
    public var description: String {
        let target = subject.isEmpty ? "" : " \"\(subject)\""
        return "cannot \(operation)\(target): \(reason)"
    }

    private var reason: String {
        switch cause {
        case .busy: "another process held the database's write lock for too long"
        case .noSpace: "the disk is full or read-only"
        case .damaged: "the database file is damaged"
        case .tooLarge(let bytes, let maximum): "\(bytes) bytes, of \(maximum) permitted"
        case .newerSchema(let name): "migration \"\(name)\" is unknown; use a newer version"
        case .sealed(let error): error.description
        case .malformedRow(let what): "its \(what) is malformed"
        case .database(let code, let message): "\(message) (SQLite \(code))"
        }
    }
}
