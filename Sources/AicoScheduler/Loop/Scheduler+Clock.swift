// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoConfig
import AicoCore
import AicoStore
import Logging

extension WallClock {
    /// The wall clock less the uptime; changes only when the clock is set or slewed.
    static var offset: Duration {
        .microseconds(now.microseconds) - uptime
    }
}

extension Scheduler {
    /// A smaller step back changes no plan.
    private static let tolerance = Duration.seconds(1)

    /// Plans anew where the wall clock was set back.
    ///
    /// A step forward needs nothing: what it passed is due, and the misfire policy decides. A step
    /// back would leave every task waiting for instants that were near and are far now; instants
    /// that ran already are not run again, the store's claim sees to that.
    func checkClock(wasSet: Bool) {
        let offset = WallClock.offset
        let step = offset - clockOffset
        if wasSet { log.notice("the wall clock was set", metadata: ["step": "\(step)"]) }
        guard wasSet || step > Self.tolerance || step < .zero - Self.tolerance else { return }
        clockOffset = offset
        now = clock.now
        guard step < .zero - Self.tolerance else { return }
        for entry in tasks.values where entry.task.enabled && entry.task.nextRun != nil {
            plan(entry, after: now)
            journal.add(.setNextRun(entry.id, entry.task.nextRun))
        }
    }

    /// Sets a task's next run to the first instant later than `after`, and its timer.
    func plan(_ entry: TaskEntry, after: Instant) {
        entry.task.nextRun = entry.task.enabled ? entry.table.next(after: after) : nil
        arm(entry)
    }

    /// Sets a task's timer by its next run.
    func arm(_ entry: TaskEntry) {
        timers.set(
            .task(entry.id), at: configuration.scheduler.isEnabled ? entry.dueAt : nil)
    }
}
