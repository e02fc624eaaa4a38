// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import AicoCore

/// What a client wants changed; checked for form, role and content before it comes here.
package enum Request: Sendable {
    /// Make a task.
    case create(TaskDefinition)
    /// Put a task's definition in the place of the present one; `key` is whose.
    case update(TaskDefinition)
    /// Let the clock start a task, or not.
    case setEnabled(TaskID, Bool)
    /// Remove a task.
    case delete(TaskID)
    /// Run a task now.
    case run(TaskID)
    /// End what runs or waits of a task.
    case cancelTask(TaskID, now: Bool)
    /// End one execution, by its whole id.
    case cancelExecution(String, now: Bool)
    /// Run a dead letter's task again.
    case retryDeadLetter(StoredDeadLetter)
    /// Remove one dead letter.
    case purgeDeadLetter(Int64)
    /// Remove all; so many there are.
    case purgeDeadLetters(count: Int)
    /// Stop the whole system.
    case stopSystem
}

/// What a client is told; each request has exactly one.
package enum Reply: Sendable, Equatable {
    /// The task as it is now; `retrying` of its executions go on although it is disabled.
    case task(TaskKey, retrying: Int = 0)
    /// It is gone; these executions of it have yet to end.
    case deleted(TaskID, ending: [String])
    /// The execution exists: it runs, or it waits for what `waits` says.
    case execution(String, TaskID, waits: Waits?)
    /// What ended at once, and what was told to end and is killed at an instant.
    case cancelled([String], ending: [EndingExecution])
    /// So many dead letters are gone.
    case purged(Int)
    /// The system stops.
    case stopping
    /// Nothing was changed.
    case refused(Refusal)

    /// An execution that was told to end.
    package struct EndingExecution: Sendable, Equatable {
        /// The execution.
        package var execution: String
        /// When its processes are killed.
        package var until: Instant
    }

    /// What holds an execution back.
    package struct Waits: Sendable, Equatable {
        /// A word a program can read.
        package var reason: Admission.Deferral
        /// In words.
        package var detail: String
        /// Since when it has waited, for whatever held it back first.
        package var since: Instant
    }
}

/// Why a request changed nothing.
package struct Refusal: Error, Sendable, Equatable {
    /// The kinds.
    package enum Code: String, Sendable {
        case notFound = "not_found"
        case conflict
        case invalid
        case unavailable
        case `internal`
    }

    /// The kind.
    package var code: Code
    /// What was refused and why.
    package var message: String
    /// What to do or type next; may be empty.
    package var hint: String

    package init(_ code: Code, _ message: String, hint: String = "") {
        self.code = code
        self.message = message
        self.hint = hint
    }
}
