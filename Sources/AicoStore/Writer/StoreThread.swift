// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc
import Synchronization

/// A thread that runs one function to its end; signals are for the others.
final class StoreThread: Sendable {
    private let handle: Mutex<pthread_t?>

    /// Starts it.
    init(_ body: @escaping @Sendable () -> Void) throws(StoreError) {
        // Blocked before it starts and inherited: a signal must never interrupt a commit, nor be
        // taken from the thread that waits for it.
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        let box = Unmanaged.passRetained(Box(body))
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { box in
                guard let box else { return nil }
                Unmanaged<Box>.fromOpaque(box).takeRetainedValue().body()
                return nil
            }, box.toOpaque())
        guard code == 0 else {
            box.release()
            throw StoreError.noThread(code)
        }
        handle = Mutex(thread)
    }

    /// Waits for its end; the second time at once.
    func join() {
        let thread = handle.withLock { handle in
            let thread = handle
            handle = nil
            return thread
        }
        if let thread { pthread_join(thread, nil) }
    }

    private final class Box: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
}
