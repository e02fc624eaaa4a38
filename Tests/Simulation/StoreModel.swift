// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import SchedulerCore

/// What the store is, as a value: a batch is written whole or not at all.
struct StoreModel: Sendable {
    struct Task: Sendable {
        var record: StoredTask
        var isDeleted = false
    }

    struct Execution: Sendable {
        let id: String
        let task: TaskKey
        let trigger: ExecutionTrigger
        let plannedAt: Instant
        let startedAt: Instant
        var state = ExecutionRow.running
        var outcome: Outcome?
        var attempts = 1
        var retryAt: Instant?
    }

    enum ExecutionRow: Sendable { case running, waiting, ended }

    struct Attempt: Sendable {
        let execution: String
        let number: UInt32
        var isRunning = true
        var isConfined = false
    }

    struct Occurrence: Sendable {
        var disposition: OccurrenceDisposition
        var trigger: ExecutionTrigger?
        var execution: String?
        var decidedAt: Instant
    }

    private(set) var tasks: [TaskID: Task] = [:]
    private(set) var executions: [String: Execution] = [:]
    private(set) var attempts: [UInt64: Attempt] = [:]
    private(set) var occurrences: [String: [Instant: Occurrence]] = [:]
    private(set) var deferred: [String: Set<Instant>] = [:]
    private(set) var letters: [Int64: (letter: StoredDeadLetter, key: TaskKey)] = [:]
    private(set) var bootID = ""
    /// Every config that a task of an identity ever had.
    private(set) var configs: [String: Set<[UInt8]>] = [:]
    /// Attempts written as running, in order.
    private(set) var runningAttempts: Set<UInt64> = []
    private(set) var waitingExecutions: Set<String> = []
    private var lastAttempt: UInt64 = 0
    private var lastLetter: Int64 = 0

    /// A task of this identity that is not deleted.
    func task(_ key: TaskKey) -> Task? {
        guard let task = tasks[key.id], !task.isDeleted, task.record.key == key else { return nil }
        return task
    }

    /// Writes a batch; gives what each change came to.
    mutating func write(_ changes: [StoreChange]) -> [ChangeResult] {
        changes.map { .outcome(apply($0)) }
    }

    private mutating func apply(_ change: StoreChange) -> StoreOutcome {
        switch change {
        case .createTask(let record):
            if let old = tasks[record.id], !old.isDeleted { return .alreadyExists }
            tasks[record.id] = Task(record: record)
            configs[record.key.uid, default: []].insert(record.config)
            return .done
        case .updateTask(let record):
            guard let old = task(record.key) else { return .notFound }
            var record = record
            record.lastRun = old.record.lastRun
            tasks[record.id] = Task(record: record)
            configs[record.key.uid, default: []].insert(record.config)
            return .done
        case .deleteTask(let key, _):
            guard task(key) != nil else { return .notFound }
            tasks[key.id]?.isDeleted = true
            return .done
        case .setNextRun(let key, let next):
            guard task(key) != nil else { return .notFound }
            tasks[key.id]?.record.nextRun = next
            return .done
        case .claim(let claim): return write(claim)
        case .retry(let id, _):
            guard executions[id]?.state == .waiting else { return .notFound }
            executions[id]?.state = .running
            waitingExecutions.remove(id)
            executions[id]?.attempts += 1
            return insertAttempt(id, number: UInt32(executions[id]?.attempts ?? 0))
        case .attemptConfined(let key, _):
            guard attempts[key.value]?.isRunning == true else { return .notFound }
            attempts[key.value]?.isConfined = true
            return .done
        case .endAttempt(let end):
            guard let attempt = attempts[end.attempt.value], attempt.isRunning else {
                return .notFound
            }
            attempts[end.attempt.value]?.isRunning = false
            runningAttempts.remove(end.attempt.value)
            switch end.next {
            case .ended(let over): self.end(attempt.execution, over.outcome)
            case .waiting(let retryAt):
                executions[attempt.execution]?.state = .waiting
                executions[attempt.execution]?.retryAt = retryAt
                waitingExecutions.insert(attempt.execution)
            }
            return .done
        case .endWaiting(let id, _, let over):
            guard executions[id]?.state == .waiting else { return .notFound }
            end(id, over.outcome)
            return .done
        case .log: return .done
        case .occurrence(let key, let plannedAt, let disposition, _, let at):
            return decide(
                key, plannedAt, Occurrence(disposition: disposition, decidedAt: at))
        case .deferral(let key, let plannedAt, _, let trigger, let execution, let at):
            return decide(
                key, plannedAt,
                Occurrence(
                    disposition: .deferred, trigger: trigger, execution: execution, decidedAt: at))
        case .deadLetter(let id, let at, let reason):
            guard let row = executions[id], row.state == .ended else { return .notFound }
            lastLetter += 1
            letters[lastLetter] = (
                StoredDeadLetter(
                    id: lastLetter, executionID: id, taskID: row.task.id.text,
                    taskUID: row.task.uid, at: at, reason: reason, attempts: row.attempts), row.task
            )
            return .done
        case .resolveDeadLetter(let id, let at, let retriedAs):
            guard let letter = letters[id], letter.letter.resolvedAt == nil else {
                return .notFound
            }
            letters[id]?.letter.resolvedAt = at
            letters[id]?.letter.retriedAs = retriedAs
            return .done
        case .purgeDeadLetters:
            letters = [:]
            return .done
        case .purgeDeadLetter(let id): return letters.removeValue(forKey: id) == nil ? .notFound : .done
        case .noteBoot(let id):
            bootID = id
            return .done
        case .audit: return .done
        }
    }

    private mutating func write(_ claim: Claim) -> StoreOutcome {
        guard task(claim.task) != nil else { return .notFound }
        let decided = decide(
            claim.task, claim.plannedAt,
            Occurrence(
                disposition: .ran, trigger: claim.trigger, execution: claim.executionID,
                decidedAt: claim.at))
        guard decided == .done else { return decided }
        tasks[claim.task.id]?.record.lastRun = claim.at
        executions[claim.executionID] = Execution(
            id: claim.executionID, task: claim.task, trigger: claim.trigger,
            plannedAt: claim.plannedAt, startedAt: claim.at)
        return insertAttempt(claim.executionID, number: 1)
    }

    private mutating func decide(
        _ key: TaskKey, _ plannedAt: Instant, _ row: Occurrence
    ) -> StoreOutcome {
        if occurrences[key.uid]?[plannedAt]?.disposition == .ran { return .alreadyClaimed }
        occurrences[key.uid, default: [:]][plannedAt] = row
        if row.disposition == .deferred {
            deferred[key.uid, default: []].insert(plannedAt)
            owners[key.uid] = key
        } else {
            deferred[key.uid]?.remove(plannedAt)
        }
        return .done
    }

    /// The keys of identities that have waiting instants.
    private var owners: [String: TaskKey] = [:]

    private mutating func insertAttempt(_ execution: String, number: UInt32) -> StoreOutcome {
        lastAttempt += 1
        attempts[lastAttempt] = Attempt(execution: execution, number: number)
        runningAttempts.insert(lastAttempt)
        return .claimed(attempt: AttemptKey(lastAttempt), number: number)
    }

    private mutating func end(_ id: String, _ outcome: Outcome) {
        executions[id]?.state = .ended
        executions[id]?.outcome = outcome
        waitingExecutions.remove(id)
    }

    // MARK: - What a start reads

    func startFacts(_ shapes: [Shape], bootID: String) -> StartFacts {
        var facts = StartFacts()
        for id in tasks.keys.sorted() {
            guard let task = tasks[id], !task.isDeleted else { continue }
            facts.tasks.append(
                TaskDefinition(
                    record: task.record,
                    table: shapes[task.record.shape].table(created: task.record.createdAt)))
        }
        for key in runningAttempts.sorted() {
            guard let attempt = attempts[key], let row = executions[attempt.execution] else {
                continue
            }
            facts.running.append(
                (
                    StoredAttempt(
                        key: key, executionID: row.id, taskID: row.task.id.text,
                        taskUID: row.task.uid, number: attempt.number, plannedAt: row.plannedAt,
                        startedAt: row.startedAt), stored(row)
                ))
        }
        facts.waiting = waitingExecutions.sorted().compactMap { executions[$0].map(stored) }
        for uid in deferred.keys.sorted() {
            guard let owner = owners[uid] else { continue }
            for plannedAt in (deferred[uid] ?? []).sorted() {
                guard let row = occurrences[uid]?[plannedAt] else { continue }
                facts.deferred.append(
                    StoredOccurrence(
                        taskID: owner.id.text, taskUID: uid, plannedAt: plannedAt,
                        disposition: .deferred, reason: "", trigger: row.trigger,
                        executionID: row.execution, decidedAt: row.decidedAt))
            }
        }
        facts.bootID = bootID
        facts.isNewBoot = self.bootID != bootID
        return facts
    }

    private func stored(_ row: Execution) -> StoredExecution {
        StoredExecution(
            id: row.id, taskID: row.task.id.text, taskUID: row.task.uid, trigger: row.trigger,
            plannedAt: row.plannedAt, startedAt: row.startedAt,
            state: row.state == .waiting ? .waiting : .running, attempts: row.attempts,
            retryAt: row.retryAt)
    }
}

extension StoredTask {
    /// The number of the shape that its policies stand for.
    var shape: Int { Int(String(decoding: policies, as: UTF8.self)) ?? 0 }
}
