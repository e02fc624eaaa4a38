// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore

/// What the writer does when nobody waits for it: it keeps the log and the tables within bounds.
struct Upkeep {
    /// So many changes later the tables are looked at again.
    static let interval = 5000

    private let limits: StoreLimits
    private var changes = 0
    /// The log is tried again once it has grown by a quarter: each try costs a reader's time.
    private var nextLogBytes = WriteAheadLog.largeBytes

    init(limits: StoreLimits) { self.limits = limits }

    mutating func note(_ submissions: [BatchWriter.Submission]) {
        for submission in submissions { changes += submission.changes.count }
    }

    /// Works in short transactions for as long as `isIdle`; what fails is tried again later.
    mutating func run(_ store: TaskStore, while isIdle: () -> Bool) {
        let bytes = store.walBytes
        if bytes > nextLogBytes {
            let isEmpty = (try? store.emptyLog()) ?? false
            nextLogBytes = isEmpty ? WriteAheadLog.largeBytes : bytes + bytes / 4
        } else if bytes <= WriteAheadLog.largeBytes {
            nextLogBytes = WriteAheadLog.largeBytes
        }
        guard changes >= Self.interval else { return }
        while isIdle() {
            guard let removed = try? store.prune(limits: limits) else { return }
            if removed == 0 {
                changes = 0
                return
            }
        }
    }
}
