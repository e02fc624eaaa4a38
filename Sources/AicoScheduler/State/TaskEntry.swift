// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoStore
import AicoWire

/// A task as the scheduler holds it in memory.
final class TaskEntry {
    var task: StoredTask
    var table: Planner.Timetable
    /// Executions that run or wait for a retry, by id.
    var open: [String: Run] = [:]
    /// The last ended execution's outcome; nil inside where there is none, nil where not looked up.
    var lastOutcome: String??
    /// Instants in the waiting queue.
    var waiting = 0

    init(task: StoredTask, table: Planner.Timetable) {
        self.task = task
        self.table = table
    }

    var id: TaskID { task.id }
    var policies: TaskPolicies { table.policies }

    /// When the clock looks at it next: the next run, and the jitter.
    var dueAt: Instant? {
        guard task.enabled, let next = task.nextRun else { return nil }
        return next + Planner.jitter(of: id, policies: policies)
    }
}

/// An execution that has not ended.
final class Run {
    /// Where it stands.
    enum Phase {
        /// Its row is in the journal.
        case claiming
        case running(Attempt)
        case waiting(until: Instant)
    }

    let executionID: String
    let entry: TaskEntry
    let trigger: ExecutionTrigger
    let plannedAt: Instant
    let startedAt: Instant
    var attempts = 0
    var phase = Phase.claiming
    /// Why its end was asked for; nil where nobody did.
    var cancelled: CancelReason?
    /// False once its task is deleted.
    var isWanted = true

    init(
        executionID: String, entry: TaskEntry, trigger: ExecutionTrigger, plannedAt: Instant,
        startedAt: Instant
    ) {
        self.executionID = executionID
        self.entry = entry
        self.trigger = trigger
        self.plannedAt = plannedAt
        self.startedAt = startedAt
    }

    var taskClass: TaskClass { entry.id.taskClass }
}

/// An attempt whose row says running.
final class Attempt {
    let key: UInt64
    let number: UInt32
    let run: Run
    let startedAt: Instant
    /// The sequence number that its next report must have.
    var sequence: UInt32 = 0
    /// Whether its order has left.
    var isSent = false
    /// Whether its code runs.
    var isStarted = false
    var logLines = 0
    var logBytes = 0

    init(key: UInt64, number: UInt32, run: Run, startedAt: Instant) {
        self.key = key
        self.number = number
        self.run = run
        self.startedAt = startedAt
    }
}
