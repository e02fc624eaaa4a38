// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import GRDB

extension TaskStore {
    /// Writes a batch in one transaction but for the changes that alone can never be written.
    ///
    /// A thrown error is the store's, and means that nothing was written; `reachedCommit` says
    /// whether it is the commit's.
    func write(_ batch: [StoreChange], reachedCommit: inout Bool) throws(StoreError)
        -> [ChangeResult]
    {
        do throws(StoreError) {
            return try perform(batch, reachedCommit: &reachedCommit).map { .outcome($0) }
        } catch let error where error.cause.failure == nil {
            return try writeOneByOne(batch, reachedCommit: &reachedCommit)
        }
    }

    /// With a savepoint for each, which costs too much for a batch without fault.
    private func writeOneByOne(_ batch: [StoreChange], reachedCommit: inout Bool)
        throws(StoreError) -> [ChangeResult]
    {
        reachedCommit = false
        return try write("write a batch of \(batch.count)") { db in
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
            reachedCommit = true
            return results
        }
    }

    /// Brings the connection to rest after a failed write, and writes something small.
    ///
    /// A commit whose sync failed has left its frames in the write-ahead log, where a recovery
    /// would find them, though it was answered that nothing is there. The next frames take their
    /// place, whether they are synced or not: these are they.
    ///
    /// - Returns: false where that failed as well.
    func settle() -> Bool {
        queue.writeWithoutTransaction { db in
            if db.isInsideTransaction { try? db.rollback() }
        }
        for _ in 0..<3 {
            let isWritten: Void? = try? write("settle") { db in
                // A value that stays the same would be no write at all.
                try db.execute(sql: "UPDATE settlings SET count = count + 1")
            }
            if isWritten != nil { return true }
        }
        return false
    }
}
