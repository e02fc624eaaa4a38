// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// One change of a batch; `TaskStore.perform` writes a batch in one transaction.
package enum StoreChange: Sendable, Equatable {
    /// Inserts a task, or takes over the row of a deleted one -> done, alreadyExists.
    case createTask(StoredTask)
    /// Replaces a task's definition, not its `lastRun` -> done, notFound.
    case updateTask(StoredTask)
    /// Marks a task deleted and frees its id; its history stays -> done, notFound.
    case deleteTask(TaskKey, at: Instant)
    /// Sets when a task is due next, as after a skipped instant -> done, notFound.
    case setNextRun(TaskKey, Instant?)
    /// Claims an instant and writes execution and first attempt as running, before its order is
    /// sent -> claimed, alreadyClaimed, notFound.
    case claim(Claim)
    /// Writes a further attempt of a waiting execution as running -> claimed, notFound.
    case retry(execution: String, at: Instant)
    /// Takes a running attempt out that never began: its execution waits for its retry, or where it
    /// was the first, its instant is deferred and there is no execution yet -> done, notFound.
    case unclaim(attempt: AttemptKey, reason: String, at: Instant)
    /// Notes the layers that held once the task's code runs -> done, notFound.
    case attemptConfined(attempt: AttemptKey, LayerReport)
    /// Ends a running attempt and moves its execution -> done, notFound if it does not run.
    case endAttempt(AttemptEnd)
    /// Ends a waiting execution without a further attempt, as on cancel -> done, notFound.
    case endWaiting(execution: String, at: Instant, ExecutionEnd)
    /// Adds a line of output -> done, notFound where the execution is gone or the line there.
    case log(LogEntry)
    /// Records a planned instant that did not start -> done, alreadyClaimed if it was decided.
    case occurrence(
        TaskKey, plannedAt: Instant, OccurrenceDisposition, reason: String, at: Instant)
    /// Records that a planned instant waits, and the id that its execution will have -> done,
    /// alreadyClaimed if it was decided.
    case deferral(
        TaskKey, plannedAt: Instant, reason: String, trigger: ExecutionTrigger, execution: String,
        at: Instant)
    /// Puts an ended execution on the dead-letter table -> done, alreadyExists.
    case deadLetter(execution: String, at: Instant, reason: String)
    /// Marks an open dead letter as sent back -> done, notFound.
    case resolveDeadLetter(id: Int64, at: Instant, retriedAs: String)
    /// Deletes all dead letters -> done.
    case purgeDeadLetters
    /// Deletes one dead letter -> done, notFound.
    case purgeDeadLetter(id: Int64)
    /// Remembers the boot whose `@reboot` tasks were started -> done.
    case noteBoot(String)
    /// Adds an entry to the chained audit log -> done.
    case audit(AuditEntry)
}

/// What a change came to; the n-th of `perform`'s answer belongs to the n-th change.
package enum StoreOutcome: Sendable, Hashable {
    /// Written.
    case done
    /// Claimed; the order may be sent with this attempt key.
    case claimed(attempt: AttemptKey, number: UInt32)
    /// The instant was decided before; nothing was written but the task's next run.
    case alreadyClaimed
    /// There is no such row in the state that the change needs; nothing was written.
    case notFound
    /// There is such a row already; nothing was written.
    case alreadyExists
}

/// A claim of one planned instant.
package struct Claim: Sendable, Equatable {
    /// What happens to the task's next run.
    package enum NextRun: Sendable, Equatable {
        /// It stays, as for a manual run.
        case keep
        /// It becomes this; nil is never.
        case set(Instant?)
    }

    /// The task.
    package var task: TaskKey
    /// The planned instant, unique with the task.
    package var plannedAt: Instant
    /// A fresh lower-case UUID.
    package var executionID: String
    /// What started it.
    package var trigger: ExecutionTrigger
    /// Now.
    package var at: Instant
    /// What happens to the task's next run.
    package var nextRun: NextRun

    package init(
        task: TaskKey, plannedAt: Instant, executionID: String, trigger: ExecutionTrigger,
        at: Instant, nextRun: NextRun
    ) {
        self.task = task
        self.plannedAt = plannedAt
        self.executionID = executionID
        self.trigger = trigger
        self.at = at
        self.nextRun = nextRun
    }
}

/// The end of an attempt and where it leaves its execution.
package struct AttemptEnd: Sendable, Equatable {
    /// What the execution does now.
    package enum Next: Sendable, Equatable {
        /// It is over.
        case ended(ExecutionEnd)
        /// A further attempt is due at `retryAt`.
        case waiting(retryAt: Instant)
    }

    /// The attempt's key.
    package var attempt: AttemptKey
    /// Now.
    package var at: Instant
    /// The attempt's outcome.
    package var outcome: Outcome
    /// How it ended; nil where its worker or the scheduler ended under it. Readable in the store,
    /// but for the task's own words.
    package var exit: AttemptExit?
    /// What went wrong, for people. Sealed.
    package var message: String?
    /// What the execution does now.
    package var next: Next

    package init(
        attempt: AttemptKey, at: Instant, outcome: Outcome, exit: AttemptExit? = nil,
        message: String? = nil, next: Next
    ) {
        self.attempt = attempt
        self.at = at
        self.outcome = outcome
        self.exit = exit
        self.message = message
        self.next = next
    }
}

/// The end of an execution.
package struct ExecutionEnd: Sendable, Equatable {
    /// How it came out, and why.
    package var outcome: Outcome
    /// The task's result: JSON in UTF-8. Sealed.
    package var result: [UInt8]?
    /// What went wrong, for people. Sealed.
    package var errorMessage: String?

    package init(
        outcome: Outcome, result: [UInt8]? = nil, errorMessage: String? = nil
    ) {
        self.outcome = outcome
        self.result = result
        self.errorMessage = errorMessage
    }
}

/// One line of output on its way into the store.
package struct LogEntry: Sendable, Equatable {
    /// The execution.
    package var executionID: String
    /// The attempt.
    package var attempt: AttemptKey
    /// The report's sequence number, unique in the attempt.
    package var sequence: UInt32
    /// Where it came from.
    package var stream: LogStream
    /// When the task wrote it.
    package var at: Instant
    /// The text. Sealed.
    package var line: String

    package init(
        executionID: String, attempt: AttemptKey, sequence: UInt32, stream: LogStream,
        at: Instant, line: String
    ) {
        self.executionID = executionID
        self.attempt = attempt
        self.sequence = sequence
        self.stream = stream
        self.at = at
        self.line = line
    }
}

/// Something that somebody did or tried.
package struct AuditEntry: Sendable, Equatable {
    /// When.
    package var at: Instant
    /// Who: a client's name, or `scheduler`.
    package var actor: String
    /// What, as `task.create` or `bus.refused`.
    package var action: String
    /// On what, as a task's id.
    package var subject: String
    /// More, readable in the store.
    package var detail: String

    package init(at: Instant, actor: String, action: String, subject: String, detail: String = "") {
        self.at = at
        self.actor = actor
        self.action = action
        self.subject = subject
        self.detail = detail
    }
}
