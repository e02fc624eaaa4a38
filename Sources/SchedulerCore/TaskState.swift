// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import AicoCore

/// A task as the core holds it.
package struct TaskState: Sendable {
    /// Its row as it is in force: what of it was changed and not yet written is in `changes`.
    package internal(set) var record: StoredTask
    /// What the row's texts mean.
    package internal(set) var table: Planner.Timetable
    /// Definitions that are being written, the latest last.
    var changes: [TaskDefinition] = []
    /// Whether its next run moved on and the store was not told: the turn is not over, or a change is
    /// on its way.
    var owesNextRun = false
    /// Whether its row is being written for the first time.
    var isCreating = false
    /// Whether its row is being removed.
    var isDeleting = false
    /// Its executions that have begun and are not over.
    package internal(set) var open: Set<String> = []
    /// The outcome of the last execution that ended while this scheduler runs.
    package internal(set) var lastOutcome: Outcome.Kind?
    /// The latest instant that a request was given: two never share one.
    var lastRequested: Instant?

    init(_ task: TaskDefinition) {
        record = task.record
        table = task.table
    }

    /// Its name.
    package var id: TaskID { record.key.id }
    /// Its name and identity.
    package var key: TaskKey { record.key }
    /// How it runs.
    package var policies: TaskPolicies { table.policies }

    /// Whether its row is not written yet: it is not there for anybody who asks.
    package var isBeingMade: Bool { isCreating }

    /// Whether a change that is being written moves its next run.
    var isReplanning: Bool {
        changes.contains {
            $0.record.enabled != record.enabled || $0.record.schedule != record.schedule
                || $0.record.timezone != record.timezone
                || $0.table.policies.dst != policies.dst
        }
    }

    /// What a change of it starts from: the latest definition, written or not.
    package var latest: StoredTask { changes.last?.record ?? record }

    /// When the clock looks at it next: the next run, and the jitter.
    var dueAt: Instant? {
        guard record.enabled, let next = record.nextRun else { return nil }
        return next + Planner.jitter(of: id, policies: policies)
    }
}
