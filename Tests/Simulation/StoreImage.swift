// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoStore
import SchedulerCore

/// What a start of the scheduler reads of a store, of its model or of the real one.
struct StoreImage: Equatable {
    struct Running: Equatable {
        var attempt: StoredAttempt
        var execution: StoredExecution
    }

    var tasks: [StoredTask] = []
    var running: [Running] = []
    var waiting: [StoredExecution] = []
    var deferred: [StoredOccurrence] = []
    var letters: [StoredDeadLetter] = []
    var bootID: String?

    /// What the core is given, as the rim gives it.
    func startFacts(
        bootID: String, builtIns: [TaskDefinition], table: (StoredTask) -> Planner.Timetable?
    ) -> StartFacts {
        var facts = StartFacts()
        facts.tasks = tasks.compactMap { record in
            table(record).map { TaskDefinition(record: record, table: $0) }
        }
        facts.running = running.map { ($0.attempt, $0.execution) }
        facts.waiting = waiting
        facts.deferred = deferred
        facts.builtIns = builtIns
        facts.bootID = bootID
        facts.isNewBoot = self.bootID != bootID
        return facts
    }

    /// The first thing that is not as in another, in words.
    func difference(from other: StoreImage) -> String {
        func first<Element: Equatable>(_ name: String, _ own: [Element], _ others: [Element])
            -> String?
        {
            guard own != others else { return nil }
            let extra = own.first { !others.contains($0) }
            let missing = others.first { !own.contains($0) }
            return "\(name): \(own.count) for \(others.count), has "
                + "\(extra.map { "\($0)" } ?? "nothing more"), lacks "
                + "\(missing.map { "\($0)" } ?? "nothing")"
        }
        return first("running", running, other.running)
            ?? first("waiting", waiting, other.waiting)
            ?? first("deferred", deferred, other.deferred)
            ?? first("letters", letters, other.letters) ?? first("tasks", tasks, other.tasks)
            ?? "boot \(bootID ?? "none") for \(other.bootID ?? "none")"
    }
}

extension StoreImage {
    /// What the model has.
    init(_ model: StoreModel) {
        tasks = model.rows.keys.sorted().compactMap { id in
            model.rows[id].flatMap { $0.isDeleted ? nil : $0.task }
        }
        running = model.running.sorted().compactMap { key in
            guard let attempt = model.attempts[key], let row = model.stored(attempt.execution)
            else { return nil }
            return Running(
                attempt: StoredAttempt(
                    key: key, executionID: attempt.execution, taskID: row.taskID,
                    taskUID: row.taskUID, number: attempt.number, plannedAt: row.plannedAt,
                    startedAt: attempt.startedAt), execution: row)
        }
        waiting = model.waiting.compactMap { model.stored($0) }
        deferred = model.deferred.sorted().compactMap { model.occurrences[$0] }
        letters = model.letters.keys.sorted().compactMap { model.letters[$0] }
        bootID = model.bootID
        sort()
    }

    /// What the real store has; a damage that it met is thrown.
    init(_ store: some StoreReads) throws(StoreError) {
        tasks = try Self.sound(store.tasks())
        for attempt in try Self.sound(store.runningAttempts()) {
            guard let execution = try store.execution(attempt.executionID) else { continue }
            running.append(
                Running(
                    attempt: StoredAttempt(
                        key: attempt.key, executionID: attempt.executionID,
                        taskID: attempt.taskID, taskUID: attempt.taskUID, number: attempt.number,
                        plannedAt: attempt.plannedAt, startedAt: attempt.startedAt),
                    execution: Self.plain(execution)))
        }
        waiting = try Self.sound(store.waitingExecutions()).map(Self.plain)
        deferred = try Self.sound(store.deferredOccurrences())
        letters = try store.deadLetters(includeResolved: true, limit: 1_000_000)
        bootID = try store.lastBoot()
        sort()
    }

    /// Sealed words are not the model's business.
    private static func plain(_ execution: StoredExecution) -> StoredExecution {
        var plain = execution
        plain.errorMessage = nil
        return plain
    }

    private static func sound<Record>(_ found: Recovered<Record>) throws(StoreError) -> [Record] {
        if let damage = found.damages.first { throw damage }
        return found.records
    }

    private mutating func sort() {
        waiting.sort {
            ($0.retryAt ?? $0.startedAt, $0.id) < ($1.retryAt ?? $1.startedAt, $1.id)
        }
        deferred.sort { ($0.plannedAt, $0.taskUID) < ($1.plannedAt, $1.taskUID) }
        letters.sort { $0.id < $1.id }
    }
}

extension StoreModel {
    func stored(_ id: String) -> StoredExecution? {
        guard let row = executions[id] else { return nil }
        return StoredExecution(
            id: id, taskID: row.task.id.text, taskUID: row.task.uid, trigger: row.trigger,
            plannedAt: row.plannedAt, startedAt: row.startedAt,
            state: row.state == .running ? .running : row.state == .waiting ? .waiting : .ended,
            attempts: row.attempts, retryAt: row.retryAt)
    }
}
