// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore

/// What the writer does when nobody waits for it: it keeps the log and the tables within bounds.
struct Upkeep {
    /// So many changes later the tables are looked at again.
    static let interval = 5000
    /// So many dead letters later these are.
    static let letterInterval = 100

    private let limits: StoreLimits
    private var changes = 0
    /// Tasks with new rows, and those of them that are to be looked at now.
    private var touched: Set<String> = []
    private var pending: [String] = []
    /// Dead letters since they were looked at last, and when the last one came.
    private var letters = 0
    private var letterAt: Instant?
    /// The log is tried again once it has grown by a quarter: each try costs a reader's time.
    private var nextLogBytes = WriteAheadLog.largeBytes

    init(limits: StoreLimits) { self.limits = limits }

    mutating func note(_ submissions: [BatchWriter.Submission]) {
        for submission in submissions {
            changes += submission.changes.count
            for change in submission.changes {
                switch change {
                case .claim(let claim): touched.insert(claim.task.uid)
                case .occurrence(let task, _, _, _, _), .deferral(let task, _, _, _, _, _):
                    touched.insert(task.uid)
                case .deadLetter(_, let at, _):
                    letters += 1
                    letterAt = at
                default: break
                }
            }
        }
    }

    /// Works in short transactions for as long as `isIdle`, a task at a time so that a batch waits
    /// for some milliseconds at most; what fails is tried again later. Where the writer did not
    /// rest since the last time, one step is taken all the same.
    ///
    /// - Returns: how many dead letters were purged.
    @discardableResult
    mutating func run(_ store: TaskStore, while isIdle: () -> Bool) -> Int {
        emptyLog(store)
        let isDue = changes >= Self.interval || letters >= Self.letterInterval
        let purged = isDue ? purgeLetters(store, while: isIdle) : 0
        prune(store, while: isIdle)
        return purged
    }

    /// More than one step at a time is needed only where a limit is new.
    private mutating func purgeLetters(_ store: TaskStore, while isIdle: () -> Bool) -> Int {
        guard let at = letterAt else { return 0 }
        var purged = 0
        repeat {
            guard
                let count = try? store.purgeOldest(keeping: limits.openDeadLetters, at: at)
            else { return purged }
            purged += count
            if count < TaskStore.pruneBatch {
                letters = 0
                letterAt = nil
                return purged
            }
        } while isIdle()
        return purged
    }

    private mutating func prune(_ store: TaskStore, while isIdle: () -> Bool) {
        let isOverdue = changes >= Self.interval && !pending.isEmpty
        if changes >= Self.interval, pending.isEmpty {
            changes = 0
            pending = Array(touched)
            touched = []
            // The audit log, which belongs to no task.
            pending.append("")
        }
        var mayStep = isOverdue
        while let task = pending.last, isIdle() || mayStep {
            mayStep = false
            guard let removed = try? store.prune(limits: limits, tasks: [task]) else { return }
            if removed == 0 { pending.removeLast() }
        }
    }

    private mutating func emptyLog(_ store: TaskStore) {
        let bytes = store.walBytes
        if bytes > nextLogBytes {
            let isEmpty = (try? store.emptyLog()) ?? false
            nextLogBytes = isEmpty ? WriteAheadLog.largeBytes : bytes + bytes / 4
        } else if bytes <= WriteAheadLog.largeBytes {
            nextLogBytes = WriteAheadLog.largeBytes
        }
    }
}
