// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Foundation

/// Runs a piece of work on several threads and waits for all.
enum Threads {
    static func run(_ count: Int, _ work: @escaping () -> Void) {
        nonisolated(unsafe) let work = work
        let group = DispatchGroup()
        for _ in 0..<count {
            group.enter()
            // Threads of their own, with stacks for deep recursion of debug builds.
            let thread = Thread {
                work()
                group.leave()
            }
            thread.stackSize = 16 << 20
            thread.start()
        }
        group.wait()
    }
}
