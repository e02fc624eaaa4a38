// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoKeys

/// What one of the reader's threads does: one connection, opened when it is first needed and anew
/// after it failed.
struct ReaderLine {
    private let path: String
    private let keys: KeyRing
    private let limit: ReadLimit
    private var store: ReadOnlyStore?

    init(path: String, keys: KeyRing, limit: ReadLimit) {
        self.path = path
        self.keys = keys
        self.limit = limit
    }

    mutating func answer(_ query: StoreReader.Query, within time: Duration)
        -> Result<[UInt8], StoreTrouble>
    {
        do throws(StoreError) {
            let store = try opened()
            return .success(try store.withLimit(time, query))
        } catch {
            switch error.cause.failure {
            case nil, .busy: break
            default: store = nil
            }
            guard !limit.hasEnded else {
                let closed = StoreError(operation: "read", subject: path, cause: .closed)
                return .failure(closed.trouble)
            }
            return .failure(error.trouble)
        }
    }

    private mutating func opened() throws(StoreError) -> ReadOnlyStore {
        if let store { return store }
        let fresh = try ReadOnlyStore(path: path, keys: keys, limit: limit)
        store = fresh
        return fresh
    }
}
