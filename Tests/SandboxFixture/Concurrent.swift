// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc

/// Async Swift inside a task process: threads are started and joined.
enum Concurrent {
    /// Sums in child tasks with a sleep between, on the cooperative pool.
    static func work() -> String {
        let result = Result()
        Task.detached {
            let sum = await withTaskGroup(of: Int.self) { group in
                for number in 1...8 {
                    group.addTask {
                        try? await Task.sleep(for: .milliseconds(1))
                        return number
                    }
                }
                return await group.reduce(0, +)
            }
            result.finish(sum)
        }
        return "sum \(result.await())"
    }

    /// Safe: the value is written before the semaphore is posted and read after it was awaited.
    private final class Result: @unchecked Sendable {
        private var value = 0
        private let done = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

        init() { sem_init(done, 0, 0) }

        func finish(_ value: Int) {
            self.value = value
            sem_post(done)
        }

        func await() -> Int {
            sem_wait(done)
            return value
        }
    }
}
