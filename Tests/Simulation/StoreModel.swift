// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import SchedulerCore

/// Names a planned instant of a task.
struct OccurrenceKey: Hashable, Comparable, Sendable {
    let uid: String
    let at: Instant

    static func < (left: OccurrenceKey, right: OccurrenceKey) -> Bool {
        left.at != right.at ? left.at < right.at : left.uid < right.uid
    }
}

/// The store as the core may know it: what `TaskStore.perform` does, as a value.
struct StoreModel: Sendable {
    struct TaskRow: Sendable {
        var task: StoredTask
        var isDeleted = false
        /// Its next run was replaced with its definition, and not moved since.
        var isReplanned = false
    }

    struct ExecutionRow: Sendable {
        enum State: Sendable { case running, waiting, ended }

        var task: TaskKey
        var trigger: ExecutionTrigger
        var plannedAt: Instant
        var startedAt: Instant
        var state = State.running
        var retryAt: Instant?
        var attempts = 1
        var outcome: Outcome?
    }

    struct AttemptRow: Sendable {
        var execution: String
        var number: UInt32
        var startedAt: Instant
        var isRunning = true
        var isConfined = false
    }

    /// By name; a deleted one stays until its name is used again.
    var rows: [TaskID: TaskRow] = [:]
    /// The name of each identity whose row there is.
    var names: [String: TaskID] = [:]
    var executions: [String: ExecutionRow] = [:]
    var attempts: [UInt64: AttemptRow] = [:]
    var occurrences: [OccurrenceKey: StoredOccurrence] = [:]
    var letters: [Int64: StoredDeadLetter] = [:]
    /// Executions that ever were a dead letter.
    var deadLetters: Set<String> = []
    var running: Set<UInt64> = []
    var waiting: Set<String> = []
    var deferred: Set<OccurrenceKey> = []
    var bootID: String?
    var audits = 0
    var lines = 0
    private var lastAttempt: UInt64 = 0
    private var lastLetter: Int64 = 0

    /// The row of an identity that was not deleted.
    func present(_ uid: String) -> TaskRow? {
        guard let row = names[uid].flatMap({ rows[$0] }), !row.isDeleted else { return nil }
        return row
    }

    /// Applies one change; see `TaskStore.apply`.
    mutating func apply(_ change: StoreChange) -> StoreOutcome {
        switch change {
        case .createTask(let task): return create(task)
        case .updateTask(let task): return update(task)
        case .deleteTask(let key, let at): return delete(key, at)
        case .setNextRun(let key, let next):
            guard present(key.uid) != nil else { return .notFound }
            rows[key.id]?.task.nextRun = next
            rows[key.id]?.isReplanned = false
            return .done
        case .claim(let claim): return write(claim)
        case .retry(let execution, let at): return retry(execution, at)
        case .unclaim(let attempt, let reason, let at): return unclaim(attempt, reason, at)
        case .attemptConfined(let attempt, _):
            guard attempts[attempt.value]?.isRunning == true else { return .notFound }
            attempts[attempt.value]?.isConfined = true
            return .done
        case .endAttempt(let end): return write(end)
        case .endWaiting(let execution, _, let end):
            guard executions[execution]?.state == .waiting else { return .notFound }
            finish(execution, end.outcome)
            return .done
        case .log(let line):
            guard executions[line.executionID] != nil else { return .notFound }
            lines += 1
            return .done
        case .occurrence(let task, let plannedAt, let disposition, let reason, let at):
            return decide(
                StoredOccurrence(
                    taskID: task.id.text, taskUID: task.uid, plannedAt: plannedAt,
                    disposition: disposition, reason: reason, decidedAt: at))
        case .deferral(let task, let plannedAt, let reason, let trigger, let execution, let at):
            return decide(
                StoredOccurrence(
                    taskID: task.id.text, taskUID: task.uid, plannedAt: plannedAt,
                    disposition: .deferred, reason: reason, trigger: trigger,
                    executionID: execution, decidedAt: at))
        case .deadLetter(let execution, let at, let reason):
            return deadLetter(execution, at, reason)
        case .resolveDeadLetter(let id, let at, let retriedAs):
            guard letters[id]?.resolvedAt == nil, letters[id] != nil else { return .notFound }
            letters[id]?.resolvedAt = at
            letters[id]?.retriedAs = retriedAs
            return .done
        case .purgeDeadLetters:
            letters = [:]
            return .done
        case .purgeDeadLetter(let id):
            return letters.removeValue(forKey: id) == nil ? .notFound : .done
        case .noteBoot(let id):
            bootID = id
            return .done
        case .audit:
            audits += 1
            return .done
        }
    }

    private mutating func create(_ task: StoredTask) -> StoreOutcome {
        if let old = rows[task.id] {
            guard old.isDeleted else { return .alreadyExists }
            names[old.task.key.uid] = nil
        }
        rows[task.id] = TaskRow(task: task)
        names[task.key.uid] = task.id
        return .done
    }

    private mutating func update(_ task: StoredTask) -> StoreOutcome {
        guard let row = present(task.key.uid) else { return .notFound }
        var new = task
        new.createdAt = row.task.createdAt
        new.lastRun = row.task.lastRun
        rows[row.task.id]?.task = new
        rows[row.task.id]?.isReplanned = true
        return .done
    }

    private mutating func delete(_ key: TaskKey, _ at: Instant) -> StoreOutcome {
        guard present(key.uid) != nil else { return .notFound }
        rows[key.id]?.isDeleted = true
        rows[key.id]?.task.enabled = false
        rows[key.id]?.task.nextRun = nil
        rows[key.id]?.task.updatedAt = at
        return .done
    }

    private mutating func write(_ claim: Claim) -> StoreOutcome {
        guard present(claim.task.uid) != nil else { return .notFound }
        if case .set(let next) = claim.nextRun { rows[claim.task.id]?.task.nextRun = next }
        let decided = decide(
            StoredOccurrence(
                taskID: claim.task.id.text, taskUID: claim.task.uid, plannedAt: claim.plannedAt,
                disposition: .ran, reason: "", trigger: claim.trigger,
                executionID: claim.executionID, decidedAt: claim.at))
        guard decided == .done else { return decided }
        rows[claim.task.id]?.task.lastRun = claim.at
        executions[claim.executionID] = ExecutionRow(
            task: claim.task, trigger: claim.trigger, plannedAt: claim.plannedAt,
            startedAt: claim.at)
        return insertAttempt(claim.executionID, 1, claim.at)
    }

    private mutating func decide(_ occurrence: StoredOccurrence) -> StoreOutcome {
        let key = OccurrenceKey(uid: occurrence.taskUID, at: occurrence.plannedAt)
        if occurrences[key]?.disposition == .ran { return .alreadyClaimed }
        occurrences[key] = occurrence
        if occurrence.disposition == .deferred {
            deferred.insert(key)
        } else {
            deferred.remove(key)
        }
        return .done
    }

    private mutating func insertAttempt(
        _ execution: String, _ number: UInt32, _ at: Instant
    ) -> StoreOutcome {
        lastAttempt += 1
        attempts[lastAttempt] = AttemptRow(execution: execution, number: number, startedAt: at)
        running.insert(lastAttempt)
        return .claimed(attempt: AttemptKey(lastAttempt), number: number)
    }

    private mutating func retry(_ execution: String, _ at: Instant) -> StoreOutcome {
        guard let row = executions[execution], row.state == .waiting else { return .notFound }
        executions[execution]?.state = .running
        executions[execution]?.retryAt = nil
        executions[execution]?.attempts += 1
        waiting.remove(execution)
        return insertAttempt(execution, UInt32(row.attempts + 1), at)
    }

    private mutating func unclaim(_ attempt: AttemptKey, _ reason: String, _ at: Instant)
        -> StoreOutcome
    {
        guard let row = attempts[attempt.value], row.isRunning,
            let execution = executions[row.execution]
        else { return .notFound }
        attempts[attempt.value] = nil
        running.remove(attempt.value)
        guard row.number == 1 else {
            executions[row.execution]?.state = .waiting
            executions[row.execution]?.retryAt = at
            executions[row.execution]?.attempts -= 1
            waiting.insert(row.execution)
            return .done
        }
        executions[row.execution] = nil
        let key = OccurrenceKey(uid: execution.task.uid, at: execution.plannedAt)
        occurrences[key]?.disposition = .deferred
        occurrences[key]?.reason = reason
        occurrences[key]?.decidedAt = at
        deferred.insert(key)
        return .done
    }

    private mutating func write(_ end: AttemptEnd) -> StoreOutcome {
        let key = end.attempt.value
        guard let attempt = attempts[key], attempt.isRunning else { return .notFound }
        attempts[key]?.isRunning = false
        running.remove(key)
        switch end.next {
        case .ended(let over): finish(attempt.execution, over.outcome)
        case .waiting(let retryAt):
            executions[attempt.execution]?.state = .waiting
            executions[attempt.execution]?.retryAt = retryAt
            waiting.insert(attempt.execution)
        }
        return .done
    }

    private mutating func finish(_ execution: String, _ outcome: Outcome) {
        executions[execution]?.state = .ended
        executions[execution]?.outcome = outcome
        executions[execution]?.retryAt = nil
        waiting.remove(execution)
    }

    private mutating func deadLetter(_ execution: String, _ at: Instant, _ reason: String)
        -> StoreOutcome
    {
        guard let row = executions[execution], row.state == .ended else { return .notFound }
        guard deadLetters.insert(execution).inserted else { return .alreadyExists }
        lastLetter += 1
        letters[lastLetter] = StoredDeadLetter(
            id: lastLetter, executionID: execution, taskID: row.task.id.text,
            taskUID: row.task.uid, at: at, reason: reason, attempts: row.attempts)
        return .done
    }
}
