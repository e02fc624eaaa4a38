// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Why the store wrote nothing, as far as that decides what to do.
public enum StoreFailure: String, Error, Sendable, Hashable, CaseIterable {
    case busy
    case full
    case readOnly = "read_only"
    case io
    case noMemory = "no_memory"
    case cannotOpen = "cannot_open"
    case damaged
    case key
    case closed
    case other
}

/// A failure of the store, for people.
public struct StoreTrouble: Error, Sendable, Hashable {
    /// The kind.
    public var kind: StoreFailure
    /// One sentence.
    public var message: String

    /// Makes one.
    public init(kind: StoreFailure, message: String) {
        self.kind = kind
        self.message = message
    }
}

/// What one change of a batch came to.
public enum ChangeResult: Sendable, Equatable {
    /// It was written, or did not apply.
    case outcome(StoreOutcome)
    /// This change alone can never be written; the words say why.
    case refused(String)
}

/// What a batch came to; at a failure nothing of it was written.
public typealias BatchResult = Result<[ChangeResult], StoreTrouble>
