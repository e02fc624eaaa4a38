// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import AicoCore
package import AicoKeys

/// Answers questions to the store on threads and connections of its own.
///
/// A slow one holds up neither the caller nor, while another thread is free, the next; one that
/// takes longer than its limit is interrupted. Answers come in the order in which they are found.
package final class StoreReader: Sendable {
    /// A question: reads, and makes the bytes of its answer.
    package typealias Query = @Sendable (ReadOnlyStore) throws(StoreError) -> [UInt8]

    private struct Submission: Sendable {
        var token: UInt64
        var limit: Duration
        var query: Query
    }

    private let mailbox: Mailbox<Submission, (token: UInt64, result: Result<[UInt8], StoreTrouble>)>
    private let threads: [StoreThread]
    private let limits: [ReadLimit]
    private let path: String

    /// Starts the threads; the database has to be there by the first question.
    ///
    /// - Parameter connections: how many questions are answered at a time.
    package init(path: String, keys: KeyRing, connections: Int = 2) throws(StoreError) {
        let mailbox = try Mailbox<
            Submission, (token: UInt64, result: Result<[UInt8], StoreTrouble>)
        >()
        let limits = (0..<connections).map { _ in ReadLimit() }
        var threads: [StoreThread] = []
        do throws(StoreError) {
            for limit in limits {
                threads.append(
                    try StoreThread {
                        var line = ReaderLine(path: path, keys: keys, limit: limit)
                        while let submission = mailbox.receive() {
                            let result = line.answer(submission.query, within: submission.limit)
                            mailbox.answer([(submission.token, result)])
                        }
                    })
            }
        } catch {
            mailbox.finish()
            for thread in threads { thread.join() }
            throw error
        }
        self.mailbox = mailbox
        self.threads = threads
        self.limits = limits
        self.path = path
    }

    deinit { close() }

    /// An eventfd, readable while answers wait: for the caller's poll set; never read from it.
    package var descriptor: Int32 { mailbox.ready }

    /// Hands over a question; never blocks.
    ///
    /// - Parameters:
    ///   - token: comes back with the answer.
    ///   - limit: how long its reads may take together.
    ///   - query: runs on a thread of the reader.
    package func submit(
        token: UInt64, limit: Duration = .seconds(10), _ query: @escaping Query
    ) {
        let submission = Submission(token: token, limit: limit, query: query)
        guard !mailbox.submit(submission) else { return }
        let closed = StoreError(operation: "read", subject: path, cause: .closed)
        mailbox.answer([(token, .failure(closed.trouble))])
    }

    /// Takes the answers there are; never blocks.
    package func take() -> [(token: UInt64, result: Result<[UInt8], StoreTrouble>)] {
        mailbox.take()
    }

    /// Interrupts what is read, and waits for the threads; what is asked later fails as closed.
    package func close() {
        for limit in limits { limit.endAll() }
        mailbox.finish()
        for thread in threads { thread.join() }
    }
}
