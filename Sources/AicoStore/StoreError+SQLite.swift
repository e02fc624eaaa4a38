// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoKeys
import GRDB

extension StoreError {
    /// Runs `body` and gives every error its operation and subject.
    static func wrap<Value>(
        _ operation: String, _ subject: String, _ body: () throws -> Value
    ) throws(StoreError) -> Value {
        do {
            return try body()
        } catch {
            throw StoreError(operation, subject, error)
        }
    }

    /// Makes a store's error of any other; one of the store stays as it is.
    init(_ operation: String, _ subject: String, _ error: any Error) {
        switch error {
        case let error as StoreError: self = error
        case let error as KeyError:
            self.init(operation: operation, subject: subject, cause: .sealed(error))
        case let error as DatabaseError:
            self.init(operation: operation, subject: subject, cause: Cause(error))
        case is RowDecodingError:
            self.init(operation: operation, subject: subject, cause: .malformedRow("a value"))
        default:
            self.init(
                operation: operation, subject: subject,
                cause: .database(code: 1, message: String(describing: type(of: error))))
        }
    }
}

extension StoreError.Cause {
    /// The message without statement arguments: they may be what a task wrote.
    fileprivate init(_ error: DatabaseError) {
        switch error.resultCode {
        case .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_PROTOCOL: self = .busy
        case .SQLITE_INTERRUPT: self = .tookTooLong
        case .SQLITE_FULL: self = .noSpace
        case .SQLITE_READONLY: self = .readOnly
        case .SQLITE_CORRUPT, .SQLITE_NOTADB: self = .damaged
        // GRDB's word for a connection that was closed; SQLite never gives it to us.
        case .SQLITE_MISUSE: self = .closed
        default:
            self = .database(
                code: error.extendedResultCode.rawValue,
                message: error.message ?? "no message")
        }
    }

    /// The kind where it is the store that failed; nil where it is this one value, row or
    /// question, and another may do well.
    ///
    /// What is named here as harmless is a closed list: whatever SQLite says beside it is a
    /// failure of the store.
    var failure: StoreFailure? {
        switch self {
        case .busy, .tookTooLong: .busy
        case .noSpace: .full
        case .readOnly: .readOnly
        case .damaged: .damaged
        case .closed: .closed
        case .wrongKey: .key
        case .newerSchema: .cannotOpen
        case .tooLarge, .sealed, .malformedRow, .unknownCursor: nil
        case .database(let code, _):
            switch (ResultCode(rawValue: code), ResultCode(rawValue: code & 0xFF)) {
            case (.SQLITE_IOERR_NOMEM, _), (_, .SQLITE_NOMEM): .noMemory
            case (_, .SQLITE_IOERR): .io
            case (_, .SQLITE_CANTOPEN): .cannotOpen
            case (_, .SQLITE_PERM), (_, .SQLITE_AUTH): .readOnly
            case (_, .SQLITE_CONSTRAINT), (_, .SQLITE_TOOBIG), (_, .SQLITE_MISMATCH): nil
            default: .other
            }
        }
    }

    /// True where it is what one row holds that cannot be read: others can.
    package var isOfOneRow: Bool {
        switch self {
        case .sealed, .malformedRow: true
        default: false
        }
    }

    /// True where a page could not be read or made sense of: others may be sound.
    var isDamage: Bool {
        switch self {
        case _ where isOfOneRow: true
        case .database(let code, _):
            [.SQLITE_IOERR_READ, .SQLITE_IOERR_SHORT_READ].contains(ResultCode(rawValue: code))
        default: failure == .damaged
        }
    }
}
