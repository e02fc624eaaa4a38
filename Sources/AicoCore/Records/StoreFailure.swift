// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Why the store as a whole did not do what it was asked; the raw value is its name in health.
package enum StoreFailure: String, Error, Sendable, Hashable, CaseIterable {
    /// Somebody else held the database for too long, or a read took too long.
    case busy
    /// No space is left on the file system.
    case full
    /// The file or its file system cannot be written.
    case readOnly = "read_only"
    /// The kernel refused to read, write or sync.
    case io = "io_error"
    /// No memory was left.
    case noMemory = "no_memory"
    /// The file, or one of those beside it, cannot be opened.
    case cannotOpen = "cannot_open"
    /// Pages of the file hold what no database holds.
    case damaged
    /// The keys do not belong to the database.
    case key
    /// It was closed before.
    case closed
    /// Anything that has no name here; never taken for a success.
    case other

    /// What is wrong, and what to do about it.
    package var words: String {
        switch self {
        case .busy:
            "the database was held by another process for too long; end a long backup or a stray "
                + "sqlite3 that has it open"
        case .full: "the disk is full; free space on the store's file system"
        case .readOnly:
            "the database cannot be written; look at the modes of the store's directory and "
                + "whether its file system was mounted read-only"
        case .io:
            "the kernel refused to read or write the database; look at the kernel's log, the "
                + "disk, its quota and the limit of file sizes"
        case .noMemory: "no memory was left; free memory or raise the scheduler's limit"
        case .cannotOpen:
            "the database cannot be opened; look at the modes of the store's directory and at "
                + "the limit of open files"
        case .damaged:
            "the database file is damaged; stop the system and put the last backup in its place"
        case .key:
            "the keys do not belong to the database; put the right master.key back from the "
                + "backup"
        case .closed: "the store was closed"
        case .other: "SQLite gave an unexpected answer; look at the scheduler's log"
        }
    }
}

/// One failure of the store, with a sentence for people.
package struct StoreTrouble: Error, Sendable, Hashable, CustomStringConvertible {
    /// Its kind.
    package var kind: StoreFailure
    /// One sentence: what was attempted, why it failed, what to do.
    package var message: String

    package init(kind: StoreFailure, message: String) {
        self.kind = kind
        self.message = message
    }

    /// The sentence.
    package var description: String { message }
}

/// What one change of a batch that was written came to.
package enum ChangeResult: Sendable, Hashable {
    /// It was looked at by the store, and came to this.
    case outcome(StoreOutcome)
    /// It alone can never be written, as where a value is too large; the others were. Why.
    case refused(String)
}

/// What a batch came to; a failure means that nothing of it was written.
package typealias BatchResult = Result<[ChangeResult], StoreTrouble>
