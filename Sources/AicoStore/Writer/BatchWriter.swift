// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import AicoCore

/// What the writer's thread does: batches into transactions, and a broken connection anew.
///
/// Without its thread for the simulation, whose time is not that of the machine.
package struct BatchWriter {
    /// A batch on its way.
    package struct Submission: Sendable {
        var changes: [StoreChange]
        var token: UInt64

        /// Makes one.
        package init(changes: [StoreChange], token: UInt64) {
            self.changes = changes
            self.token = token
        }
    }

    /// A batch's result on its way back.
    package typealias Answer = (token: UInt64, result: BatchResult)

    /// Beyond this many changes waiting batches get a transaction of their own.
    static let maximumMerged = 512

    /// So many failures in a row are the connection's.
    static let failuresUntilReopening = 4

    package private(set) var store: TaskStore
    private var failures = 0
    /// True while a commit that failed may stand in the write-ahead log. Opening the database anew
    /// would bring it back, behind the back of those who were told that it is not there; only a
    /// start of the scheduler, which reads all there is, may do that.
    package private(set) var mayHaveGhost = false

    package init(store: TaskStore) { self.store = store }

    /// Writes all that waits, in order, in as few transactions as may be.
    package mutating func write(_ submissions: [Submission], answer: ([Answer]) -> Void) {
        var rest = submissions[...]
        var patience: StoreTrouble?
        while !rest.isEmpty {
            let group = Self.group(&rest)
            // Whoever holds the database has used up the time that all of these had.
            if let patience {
                answer(group.map { ($0.token, .failure(patience)) })
                continue
            }
            let answers = write(group: group)
            if case .failure(let trouble)? = answers.last?.result, trouble.kind == .busy {
                patience = trouble
            }
            answer(answers)
        }
    }

    private static func group(_ rest: inout ArraySlice<Submission>) -> ArraySlice<Submission> {
        var changes = 0
        var end = rest.startIndex
        while end < rest.endIndex {
            changes += rest[end].changes.count
            if end > rest.startIndex, changes > maximumMerged { break }
            end += 1
        }
        defer { rest = rest[end...] }
        return rest[..<end]
    }

    private mutating func write(group: ArraySlice<Submission>) -> [Answer] {
        do throws(StoreError) {
            var results = try writeOrMend(group.flatMap(\.changes))[...]
            return group.map { submission in
                let own = results.prefix(submission.changes.count)
                results = results.dropFirst(submission.changes.count)
                return (submission.token, .success(Array(own)))
            }
        } catch {
            // A damaged page stops those who need it and nobody else.
            if group.count > 1, error.cause.failure == .damaged {
                return group.flatMap { write(group: [$0]) }
            }
            let trouble = error.trouble
            return group.map { ($0.token, .failure(trouble)) }
        }
    }

    private mutating func writeOrMend(_ changes: [StoreChange]) throws(StoreError)
        -> [ChangeResult]
    {
        if failures >= Self.failuresUntilReopening, !mayHaveGhost {
            store = try TaskStore(reopening: store)
            failures = 0
        }
        var reachedCommit = false
        do throws(StoreError) {
            let results = try store.write(changes, reachedCommit: &reachedCommit)
            failures = 0
            mayHaveGhost = false
            return results
        } catch {
            switch error.cause.failure {
            // The connection is as good as any other.
            case .busy: break
            case .full, .readOnly: settle(reachedCommit)
            default:
                settle(reachedCommit)
                failures += 1
            }
            throw error
        }
    }

    private mutating func settle(_ reachedCommit: Bool) {
        if reachedCommit { mayHaveGhost = true }
        if store.settle() {
            mayHaveGhost = false
            failures = 0
        }
    }
}
