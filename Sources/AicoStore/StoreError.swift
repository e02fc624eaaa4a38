// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import AicoCore
package import AicoKeys

/// Says which store operation failed, on what, and why; never holds a config, result or log text.
package struct StoreError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The closed set of causes.
    package enum Cause: Sendable, Equatable {
        /// Another process held the write lock for longer than the busy timeout; try again.
        case busy
        /// A read was ended since it took longer than it may.
        case tookTooLong
        /// The disk is full.
        case noSpace
        /// The file or its file system is read-only.
        case readOnly
        /// The database file is damaged.
        case damaged
        /// The store was closed.
        case closed
        /// The master key is not the one that the database was made with.
        case wrongKey
        /// A value is larger than the store takes.
        case tooLarge(bytes: Int, maximum: Int)
        /// The database was made by a newer version of this program.
        case newerSchema(String)
        /// A sealed value could not be made or opened.
        case sealed(KeyError)
        /// A row holds what this program never writes.
        case malformedRow(String)
        /// The execution that a page of history goes on after is not there.
        case unknownCursor
        /// Any other refusal of SQLite: its extended result code and message.
        case database(code: Int32, message: String)
    }

    /// What was attempted, as `open`.
    package var operation: String
    /// The path or id it was about; may be empty.
    package var subject: String
    /// Why it failed.
    package var cause: Cause

    package init(operation: String, subject: String, cause: Cause) {
        self.operation = operation
        self.subject = subject
        self.cause = cause
    }

    /// The error as a sentence.
    package var description: String {
        let target = subject.isEmpty ? "" : " \"\(subject)\""
        return "cannot \(operation)\(target): \(reason)"
    }

    /// The failure as the core takes it: its kind, and a sentence with what to do.
    package var trouble: StoreTrouble {
        let kind = cause.failure ?? .other
        switch cause {
        case .wrongKey, .tookTooLong: return StoreTrouble(kind: kind, message: description)
        case .database:
            return StoreTrouble(kind: kind, message: "\(description): \(kind.words)")
        default:
            guard cause.failure != nil else {
                return StoreTrouble(kind: kind, message: description)
            }
            let target = subject.isEmpty ? "" : " \"\(subject)\""
            return StoreTrouble(kind: kind, message: "cannot \(operation)\(target): \(kind.words)")
        }
    }

    private var reason: String {
        switch cause {
        case .busy: "another process held the database's write lock for too long"
        case .tookTooLong:
            "it took too long; ask for less, as a shorter time span or one task"
        case .noSpace: "the disk is full"
        case .readOnly: "the file or its file system is read-only"
        case .damaged: "the database file is damaged"
        case .closed: "the store was closed"
        case .wrongKey:
            "master.key is not the key that this database was made with; put the right master.key "
                + "back from the backup, or move the database away to begin anew"
        case .tooLarge(let bytes, let maximum): "\(bytes) bytes, of \(maximum) permitted"
        case .newerSchema(let name): "migration \"\(name)\" is unknown; use a newer version"
        case .sealed(let error): error.description
        case .malformedRow(let what): "its \(what) is malformed"
        case .unknownCursor:
            "there is no such execution; begin again without a place to go on from"
        case .database(let code, let message): "\(message) (SQLite \(code))"
        }
    }
}
