// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc
import Testing

@testable import AicoStore

/// What goes to a thread of the store and comes back.
struct MailboxTests {
    private func isReadable(_ descriptor: Int32) -> Bool {
        var item = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&item, 1, 0) == 1
    }

    @Test func itsDescriptorIsReadableWhileAnswersWait() throws {
        let mailbox = try Mailbox<Int, Int>()
        #expect(!isReadable(mailbox.ready))
        mailbox.answer([])
        #expect(!isReadable(mailbox.ready))
        mailbox.answer([1])
        mailbox.answer([2, 3])
        #expect(isReadable(mailbox.ready))
        #expect(mailbox.take() == [1, 2, 3])
        #expect(!isReadable(mailbox.ready))
        #expect(mailbox.take().isEmpty)
        mailbox.answer([4])
        #expect(isReadable(mailbox.ready))
        #expect(mailbox.take() == [4])
    }

    /// Those who sleep are woken, those who are at work find what came meanwhile.
    @Test(arguments: [1, 2, 7])
    func everyRequestIsTakenOnceByWhicheverThread(threads: Int) throws {
        let mailbox = try Mailbox<Int, Int>()
        let pool = try (0..<threads).map { _ in
            try StoreThread {
                while let request = mailbox.receive() { mailbox.answer([request]) }
            }
        }
        var answers: [Int] = []
        var asked = 0
        for round in 0..<500 {
            for _ in 0...(round % 4) {
                #expect(mailbox.submit(asked))
                asked += 1
            }
            // Sometimes all are idle before the next one comes, sometimes none is.
            while round % 3 == 0, answers.count < asked {
                var item = pollfd(fd: mailbox.ready, events: Int16(POLLIN), revents: 0)
                #expect(poll(&item, 1, 10_000) == 1)
                answers += mailbox.take()
            }
        }
        mailbox.finish()
        for thread in pool { thread.join() }
        answers += mailbox.take()
        #expect(answers.sorted() == Array(0..<asked))
        #expect(!mailbox.submit(0))
    }

    @Test func whatWaitsAtTheEndIsTakenBeforeNothingIs() throws {
        let mailbox = try Mailbox<Int, Int>()
        #expect(mailbox.submit(1))
        #expect(mailbox.submit(2))
        mailbox.finish()
        #expect(mailbox.receiveAll() == [1, 2])
        #expect(mailbox.receiveAll() == nil)
    }
}
