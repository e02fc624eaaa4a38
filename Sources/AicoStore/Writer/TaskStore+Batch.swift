// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import GRDB

extension TaskStore {
    /// Writes a batch in one transaction but for the changes that alone can never be written.
    ///
    /// A thrown error is the store's, and means that nothing was written.
    func write(_ batch: [StoreChange]) throws(StoreError) -> [ChangeResult] {
        do throws(StoreError) {
            return try perform(batch).map { .outcome($0) }
        } catch  where error.cause.failure == nil {
            return try writeOneByOne(batch)
        }
    }

    /// With a savepoint for each, which costs too much for a batch without fault.
    private func writeOneByOne(_ batch: [StoreChange]) throws(StoreError) -> [ChangeResult] {
        try write("write a batch of \(batch.count)") { db in
            var results: [ChangeResult] = []
            for change in batch {
                do {
                    var outcome = StoreOutcome.notFound
                    try db.inSavepoint {
                        outcome = try apply(change, db)
                        return .commit
                    }
                    results.append(.outcome(outcome))
                } catch {
                    let error = StoreError("write", "", error)
                    guard error.cause.failure == nil else { throw error }
                    results.append(.refused(error.description))
                }
            }
            return results
        }
    }

    /// Brings the connection to rest after a failed write; false where it has to be opened anew.
    ///
    /// A commit whose sync failed has left its frames in the write-ahead log, where a recovery
    /// would find them, though it was answered that nothing is there. The next commit takes their
    /// place: this is it. Where that fails too, the next batch that is written does.
    func settle() -> Bool {
        let isAtRest =
            queue.writeWithoutTransaction { db in
                if db.isInsideTransaction { try? db.rollback() }
                return !db.isInsideTransaction
            }
        guard isAtRest else { return false }
        do throws(StoreError) {
            try write("settle") { db in
                // A value that stays the same would be no write at all.
                try db.execute(sql: "UPDATE settlings SET count = count + 1")
            }
            return true
        } catch {
            switch error.cause.failure {
            // Opening it anew changes nothing of these.
            case .busy, .full, .readOnly: return true
            default: return false
            }
        }
    }
}
