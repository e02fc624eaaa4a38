// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import AicoCore
import Synchronization

/// Writes batches on a thread of its own, in the order in which they were submitted.
///
/// Nothing that depends on a batch may leave before its result is taken: `success` means that it
/// is on the disk and survives a power cut, `failure` that nothing of it is there.
///
/// A failure is answered at once, but for a database that another process holds: then after the
/// store's busy timeout. Nothing is tried again here.
package final class StoreWriter: Sendable {
    private let mailbox: Mailbox<BatchWriter.Submission, BatchWriter.Answer>
    private let thread: StoreThread
    private let path: String
    private let purged: Purged

    /// Dead letters that went since somebody asked.
    private final class Purged: Sendable {
        let count = Mutex(0)
    }

    /// Starts the thread; nobody else may write with `store` from now on.
    ///
    /// - Parameters:
    ///   - store: the open store.
    ///   - limits: what is kept; the thread removes the rest when it has nothing else to do.
    package init(store: TaskStore, limits: StoreLimits = .standard) throws(StoreError) {
        let mailbox = try Mailbox<BatchWriter.Submission, BatchWriter.Answer>()
        self.mailbox = mailbox
        path = store.path
        let purged = Purged()
        self.purged = purged
        thread = try StoreThread {
            var writer = BatchWriter(store: store)
            var upkeep = Upkeep(limits: limits)
            while let submissions = mailbox.receiveAll() {
                writer.write(submissions) { mailbox.answer($0) }
                upkeep.note(submissions)
                let count = upkeep.run(writer.store) { mailbox.isIdle }
                if count > 0 { purged.count.withLock { $0 += count } }
            }
            // The log is carried over at the next start where it cannot be now.
            try? writer.store.close()
        }
    }

    deinit { close() }

    /// An eventfd, readable while results wait: for the caller's poll set; never read from it.
    package var descriptor: Int32 { mailbox.ready }

    /// The size of the write-ahead log; asks the file system and never waits.
    ///
    /// It stays far above 32 MiB only where somebody reads for long: health says so.
    package var walBytes: Int { WriteAheadLog.bytes(beside: path) }

    /// Who reads from the database now, in words; asks the kernel and never waits.
    package var walReaders: [String] { LogReaders.names(beside: path) }

    /// Hands over a batch; never blocks.
    ///
    /// - Parameter token: comes back with the result.
    package func submit(_ changes: [StoreChange], token: UInt64) {
        guard !mailbox.submit(BatchWriter.Submission(changes: changes, token: token)) else {
            return
        }
        let closed = StoreError(operation: "write", subject: path, cause: .closed)
        mailbox.answer([(token, .failure(closed.trouble))])
    }

    /// Takes the results there are, in the order of their batches; never blocks.
    package func take() -> [(token: UInt64, result: BatchResult)] { mailbox.take() }

    /// How many dead letters were purged since the last call, as there were more than are kept.
    package func takePurged() -> Int {
        purged.count.withLock { count in
            defer { count = 0 }
            return count
        }
    }

    /// Writes what was submitted, checkpoints, closes the store and waits for all that; what is
    /// submitted later fails as closed. Results can still be taken.
    package func close() {
        mailbox.finish()
        thread.join()
    }
}
