// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Glibc
import Synchronization
import SystemPackage

/// Runs a task's async code on the process's main thread, which also listens to the worker.
///
/// No thread is started for it: a task process comes to life by fork and should start its first
/// instruction within a millisecond. What an author awaits of Dispatch's own, as `Task.sleep`,
/// starts Dispatch's threads when it is used.
final class MainThreadExecutor: TaskExecutor {
    private struct State {
        var jobs: [UnownedJob] = []
        var isAsleep = false
    }

    private let state = Mutex(State())
    private let wakeDescriptor: Int32

    deinit { close(wakeDescriptor) }

    init() {
        wakeDescriptor = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let wakes = state.withLock { state in
            state.jobs.append(job)
            return state.isAsleep
        }
        if wakes { wake() }
    }

    /// Ends the sleep of `run`, from any thread.
    func wake() {
        var one: UInt64 = 1
        write(wakeDescriptor, &one, MemoryLayout<UInt64>.size)
    }

    /// Runs jobs on the calling thread until one of them set `isDone`; calls `cancel` once when
    /// `cancellation` turns readable.
    ///
    /// - Throws: why it cannot sleep, as where poll(2) refuses more descriptors than the process may
    ///   have: it would hear of no cancellation, and take a processor for it.
    func run(
        cancellation: Int32, isDone: borrowing Atomic<Bool>, cancel: () -> Void
    ) throws(Errno) {
        var listened = cancellation
        while true {
            while let job = next() { job.runSynchronously(on: asUnownedTaskExecutor()) }
            if isDone.load(ordering: .acquiring) { return }
            var items = [
                pollfd(fd: wakeDescriptor, events: Int16(POLLIN), revents: 0),
                // poll(2) passes over a negative descriptor.
                pollfd(fd: listened, events: Int16(POLLIN), revents: 0),
            ]
            let count = poll(&items, 2, -1)
            let code = Errno(rawValue: errno)
            guard count >= 0 || code == .interrupted else { throw code }
            awaken()
            if items[1].revents != 0 {
                listened = -1
                cancel()
            }
        }
    }

    /// Takes the oldest job; where there is none, the thread counts as asleep from here on.
    private func next() -> UnownedJob? {
        state.withLock { state in
            guard !state.jobs.isEmpty else {
                state.isAsleep = true
                return nil
            }
            return state.jobs.removeFirst()
        }
    }

    private func awaken() {
        var count: UInt64 = 0
        state.withLock { $0.isAsleep = false }
        read(wakeDescriptor, &count, MemoryLayout<UInt64>.size)
    }
}
