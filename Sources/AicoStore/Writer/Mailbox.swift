// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Glibc
import Synchronization

/// Requests to threads and their answers back, each with an eventfd to wait on.
///
/// The one who asks never blocks: it polls `ready` among its other descriptors. Nobody is woken who
/// does not sleep, and nothing is read that has nothing: a commit is handed over in few system calls.
final class Mailbox<Request: Sendable, Answer: Sendable>: Sendable {
    private struct State {
        var requests: [Request] = []
        var answers: [Answer] = []
        var isClosed = false
        /// Threads that sleep, or are about to, and that nobody has woken.
        var sleeping = 0
        /// Whether `ready` was raised for the answers there are, or is about to be.
        var isRaised = false
        /// How often it was raised, or is about to be, and was not read yet.
        var unread: UInt64 = 0
    }

    private let state = Mutex(State())
    /// Counts threads that are to wake.
    private let wake: Int32
    /// Readable while answers wait.
    let ready: Int32

    init() throws(StoreError) {
        wake = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_SEMAPHORE))
        let wakeError = errno
        guard wake >= 0 else { throw StoreError.noThread(wakeError) }
        ready = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
        let readyError = errno
        guard ready >= 0 else {
            close(wake)
            throw StoreError.noThread(readyError)
        }
    }

    deinit {
        close(wake)
        close(ready)
    }

    /// Adds a request; false after `close`.
    func submit(_ request: Request) -> Bool {
        var mustWake = false
        let isOpen = state.withLock { state in
            guard !state.isClosed else { return false }
            state.requests.append(request)
            mustWake = state.sleeping > 0
            if mustWake { state.sleeping -= 1 }
            return true
        }
        if mustWake { raise(wake, by: 1) }
        return isOpen
    }

    /// Waits for a request; nil after `close` once none is left.
    func receive() -> Request? { wait { $0.removeFirst() } }

    /// Waits, and takes all that are there.
    func receiveAll() -> [Request]? {
        wait { requests in
            let all = requests
            requests = []
            return all
        }
    }

    /// True where no request waits.
    var isIdle: Bool { state.withLock { $0.requests.isEmpty } }

    /// Hands answers back.
    func answer(_ answers: [Answer]) {
        guard !answers.isEmpty else { return }
        let mustRaise = state.withLock { state in
            state.answers += answers
            guard !state.isRaised else { return false }
            state.isRaised = true
            state.unread += 1
            return true
        }
        // Not under the lock, which is the first thing that the one who wakes asks for.
        if mustRaise { raise(ready, by: 1) }
    }

    /// Takes the answers there are, and clears `ready`; for one thread.
    func take() -> [Answer] {
        guard state.withLock({ $0.unread > 0 }) else { return [] }
        var count: UInt64 = 0
        // Before the answers, so that one that comes in between makes it readable again. What is
        // only about to be raised is read the next time.
        let isRead = read(ready, &count, MemoryLayout.size(ofValue: count)) > 0
        return state.withLock { state in
            if isRead { state.unread -= count }
            state.isRaised = false
            let answers = state.answers
            state.answers = []
            return answers
        }
    }

    /// Takes no more requests; the threads finish those that wait, then `receive` gives nil.
    func finish() {
        let sleeping = state.withLock { state in
            state.isClosed = true
            defer { state.sleeping = 0 }
            return state.sleeping
        }
        if sleeping > 0 { raise(wake, by: UInt64(sleeping)) }
    }

    private func wait<Value>(_ take: (inout [Request]) -> Value) -> Value? {
        while true {
            var isClosed = false
            var taken: Value?
            state.withLock { state in
                if !state.requests.isEmpty {
                    taken = take(&state.requests)
                } else if state.isClosed {
                    isClosed = true
                } else {
                    state.sleeping += 1
                }
            }
            if let taken { return taken }
            if isClosed { return nil }
            var count: UInt64 = 0
            while read(wake, &count, MemoryLayout.size(ofValue: count)) < 0 {}
        }
    }

    private func raise(_ descriptor: Int32, by count: UInt64) {
        var count = count
        while write(descriptor, &count, MemoryLayout.size(ofValue: count)) < 0, errno == EINTR {}
    }
}

extension StoreError {
    /// The kernel gave no descriptor or thread.
    static func noThread(_ errno: Int32) -> StoreError {
        StoreError(
            operation: "start a thread of the store", subject: "",
            cause: .database(code: 14, message: String(cString: strerror(errno))))
    }
}
