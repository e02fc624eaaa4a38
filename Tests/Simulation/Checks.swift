// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import SchedulerCore

/// What was found wrong.
public struct Violation: Sendable, Equatable {
    /// The invariant.
    public let check: String
    /// What broke it.
    public let what: String
    /// After so many virtual hours of its episode.
    public let hour: Double
}

/// What the invariants remember.
struct Checks {
    var violation: Violation?
    /// Requests of this scheduler that have no reply.
    var requests: [UInt64: Request] = [:]
    /// Which execution ran each instant of an identity.
    var ran: [String: [Instant: String]] = [:]
    /// Attempts of each execution.
    var attempts: [String: Int] = [:]
    /// Attempts of each execution that the system ended, not the task.
    var interruptions: [String: Int] = [:]
    /// Boots at which a `@reboot` task was started.
    var reboots: [String: Set<Int>] = [:]
    /// Classes whose worker broke a rule and is to be killed: its generation, and until when.
    var expectedKills: [Int: (generation: Int, until: Int64)] = [:]
    /// When the last report of each class comes.
    var pipe: [Int64] = [0, 0, 0, 0]
    /// Identities whose definition was changed: what holds of one policy need not of another.
    var redefined: Set<String> = []
    /// Whether dead letters were removed by request.
    var arePurged = false
    /// Executions whose start was decided.
    var claimed: Set<String> = []
    /// Executions that somebody asked to end, or whose task was deleted.
    var cancelled: Set<String> = []

    mutating func loseScheduler() {
        requests = [:]
        expectedKills = [:]
    }
}

extension World {
    // MARK: - The store's rows

    /// No planned instant without a row: between a task's next run as it was and as it is.
    mutating func checkInstants(_ changes: [StoreChange], _ before: [TaskID: StoreModel.Task]) {
        for change in changes {
            guard case .setNextRun(let key, let next) = change,
                let old = before[key.id], old.record.key == key, !old.isDeleted, let now = store.task(key), now.record.enabled,
                old.record.enabled, old.record.policies == now.record.policies,
                let from = old.record.nextRun, next.map({ $0 > from }) ?? true
            else { continue }
            let shape = shapes[now.record.shape]
            let table = shape.table(created: now.record.createdAt)
            let rows = store.occurrences[key.uid] ?? [:]
            guard let decided = rows[from]?.decidedAt else {
                return violate(
                    "no planned instant without a row",
                    "\(key) at \(from) was passed over: next is \(next.map { "\($0)" } ?? "never")")
            }
            // The row of an instant that ran before a step back is of then.
            let ats = changes.compactMap { $0.decision(of: key) } + [decided, time.wall]
            let window = (ats.max() ?? decided) - shape.policies.catchUpWindow
            var passed: [Instant] = []
            var at = from
            for _ in 0..<3000 {
                guard let instant = table.next(after: at), next.map({ instant < $0 }) ?? false
                else { break }
                if instant >= window + .seconds(3600) { passed.append(instant) }
                at = instant
            }
            for instant in passed.suffix(Planner.listCap) where rows[instant] == nil {
                return violate(
                    "no planned instant without a row",
                    "\(key) at \(instant) has none, decided at \(decided)")
            }
        }
    }

    // MARK: - What the core says

    mutating func checkWrite(_ changes: [StoreChange]) {
        for case .claim(let claim) in changes {
            guard let execution = core?.executions[claim.executionID] else { continue }
            if execution.task != claim.task {
                violate("an execution belongs to its task", "\(claim.executionID)")
            }
            guard claim.trigger == .schedule || claim.trigger == .catchUp,
                let task = core?.task(claim.task)
            else { continue }
            let shape = shapes[task.record.shape]
            if shape.isReboot {
                if checks.reboots[claim.task.uid, default: []].contains(bootID),
                    store.occurrences[claim.task.uid]?[claim.plannedAt]?.disposition != .deferred
                {
                    violate("@reboot once for each boot", "\(claim.task)")
                }
            } else {
                let table = shape.table(created: task.record.createdAt)
                let isOwn = table.next(after: claim.plannedAt - .microseconds(1)) == claim.plannedAt
                if !isOwn, !checks.redefined.contains(claim.task.uid) {
                    violate(
                        "only instants of the schedule start", "\(claim.task) at \(claim.plannedAt)")
                }
            }
        }
    }

    /// What the machine's load permits, when it is decided: the claim may wait for the store.
    mutating func checkDecisions() {
        guard let core else { return }
        for execution in core.executions.values
        where execution.state == .claiming && execution.attempts == 0 {
            guard checks.claimed.insert(execution.id).inserted, !execution.trigger.isRequested,
                !execution.isPastGate, let task = core.task(execution.task)
            else { continue }
            switch toldLoad {
            case .notYet where boot - coreStartedAt < 4_900_000:
                violate("nothing starts on an unknown load", "\(execution.task)")
            case .known(let load) where task.policies.idleOnly:
                let limits = core.settings.thresholds
                if load.cpu > limits.idleCPU || load.memory > limits.idleMemory {
                    violate("idle_only starts on an idle machine", "\(execution.task) at \(load)")
                }
            default: break
            }
        }
    }

    /// An order reached a worker: its attempt is written, and is its task's own.
    mutating func checkOrder(_ order: AttemptOrder, _ index: Int) {
        let key = order.attempt.value
        guard let row = store.attempts[key], row.isRunning, row.execution == order.executionID,
            let execution = store.executions[order.executionID], execution.state == .running
        else {
            return violate("an order leaves after its commit", "attempt \(key)")
        }
        guard store.configs[execution.task.uid]?.contains(order.config) == true else {
            return violate(
                "an execution belongs to its task",
                "\(order.executionID) of \(execution.task) runs what is another's")
        }
        let uid = execution.task.uid
        if let other = checks.ran[uid]?[execution.plannedAt], other != order.executionID {
            return violate(
                "no instant runs twice", "\(execution.task) at \(execution.plannedAt)")
        }
        checks.ran[uid, default: [:]][execution.plannedAt] = order.executionID
        if let task = store.tasks[execution.task.id]?.record, task.key == execution.task,
            shapes[task.shape].isReboot, !execution.trigger.isRequested
        {
            checks.reboots[uid, default: []].insert(bootID)
        }
        checks.attempts[order.executionID, default: 0] += 1
        let policies = store.tasks[execution.task.id].map { shapes[$0.record.shape].policies }
        if let policies, !checks.redefined.contains(uid) {
            let most = max(policies.retry.count, 1) + 1
            if checks.attempts[order.executionID, default: 0] > most {
                violate("no more attempts than permitted", "\(order.executionID)")
            }
        }
    }

    /// Limits of places hold by what workers run.
    mutating func checkPlaces(_ order: AttemptOrder, _ index: Int) {
        let all = workers.reduce(0) { $0 + $1.attempts.count }
        guard let settings = core?.settings else { return }
        if all > settings.maximumConcurrency {
            violate("the limit of all places holds", "\(all) run")
        }
        let own = workers[index].attempts.count
        let limit = settings.classConcurrency[Self.taskClass(index)] ?? 99
        if own > limit || own > workers[index].capacity {
            violate("a class's limit of places holds", "\(own) run in class \(index)")
        }
        let isAlone = workers[index].attempts.values.filter { $0.order.taskID == order.taskID }
        guard isAlone.count > 1 else { return }
        let mayOverlap = isAlone.allSatisfy { attempt in
            guard let row = store.executions[attempt.order.executionID],
                let task = store.tasks[row.task.id]?.record, task.key == row.task
            else { return false }
            return shapes[task.shape].policies.overlap == .allow
                || checks.redefined.contains(row.task.uid)
        }
        if !mayOverlap {
            violate("one execution of a task at a time", "\(order.taskID) runs \(isAlone.count) times")
        }
    }

    mutating func checkPublished(_ published: Published) {
        func row(_ subject: Published.Subject) -> StoreModel.Execution? {
            store.executions[subject.execution]
        }
        switch published {
        case .finished(let subject, let outcome, _, _, _):
            guard let row = row(subject), row.state == .ended else {
                return violate("an event leaves after its commit", "finished \(subject.execution)")
            }
            checkGivenUp(subject, row, outcome)
        case .retry(let subject, let outcome, _, _):
            guard let row = row(subject), row.state != .running || row.attempts > subject.attempt
            else { return violate("an event leaves after its commit", "retry \(subject.execution)") }
            if outcome.kind == .interrupted {
                checks.interruptions[subject.execution, default: 0] += 1
            }
        case .started(let subject, _, _, _):
            guard let key = core?.executions[subject.execution]?.attempt?.key.value else { return }
            let attempt = store.attempts[key]
            if attempt?.isConfined != true, attempt?.isRunning != false { violate("an event leaves after its commit", "started \(subject.execution)") }
        case .deferred(let subject, let plannedAt, _), .skipped(let subject, let plannedAt, _):
            let isWritten = store.occurrences.values.contains { $0[plannedAt] != nil }
            if !isWritten { violate("an event leaves after its commit", "waits \(subject.execution)") }
        case .deadLetter(let subject, _):
            let isWritten = store.letters.values.contains {
                $0.letter.executionID == subject.execution
            }
            if !isWritten, !checks.arePurged {
                violate("an event leaves after its commit", "dead letter \(subject.execution)")
            }
        case .progress, .log, .health, .worker: break
        }
    }

    /// Nothing that may be tried again is given up.
    private mutating func checkGivenUp(
        _ subject: Published.Subject, _ row: StoreModel.Execution, _ outcome: Outcome
    ) {
        guard outcome.kind == .failedTransient || outcome.kind == .timedOut,
            let task = store.task(row.task)?.record, !checks.redefined.contains(row.task.uid),
            !checks.cancelled.contains(subject.execution)
        else { return }
        let policies = shapes[task.shape].policies
        if row.attempts <= policies.retry.count {
            violate(
                "what may be tried again is",
                "\(subject.execution) had \(row.attempts) of \(policies.retry.count + 1) attempts")
        }
    }

    mutating func checkReply(_ id: UInt64, _ reply: Reply) {
        guard let request = checks.requests.removeValue(forKey: id) else {
            return violate("one reply for each request", "request \(id) has another")
        }
        func inStore(_ id: String) -> Bool {
            store.executions[id] != nil
                || store.deferred.contains { uid, instants in
                    instants.contains { store.occurrences[uid]?[$0]?.execution == id }
                }
        }
        switch (request, reply) {
        case (.create(let task), .task(let key, _)):
            let row = store.tasks[key.id]
            if row?.record.origin != task.record.origin || row?.isDeleted == true {
                violate("what was answered ok exists", "task \(key)")
            }
        case (.create(let task), .refused(let refusal)):
            let row = store.tasks[task.record.id]
            if row?.record.origin == task.record.origin, row?.isDeleted == false {
                violate("what was refused does not exist", "\(task.record.id): \(refusal.message)")
            }
        case (.update(let task), .task(let key, _)):
            checks.redefined.insert(key.uid)
            if store.configs[key.uid]?.contains(task.record.config) != true {
                violate("what was answered ok exists", "change of \(key)")
            }
        case (.delete(let name), .deleted(_, let ending)):
            checks.cancelled.formUnion(ending)
            if let row = store.tasks[name], !row.isDeleted, core?.tasks[name] == nil {
                violate("what was answered ok exists", "deletion of \(name)")
            }
        case (.run, .execution(let id, _, _)), (.retryDeadLetter, .execution(let id, _, _)):
            if !inStore(id) { violate("what was answered ok exists", "execution \(id)") }
        case (.purgeDeadLetters, .purged): checks.arePurged = true
        case (_, .cancelled(let ids, let ending)):
            checks.cancelled.formUnion(ids)
            checks.cancelled.formUnion(ending.map(\.execution))
        case (.setEnabled(let name, let isEnabled), .task(let key, _)):
            if let row = store.task(key), row.record.enabled != isEnabled,
                core?.tasks[name]?.latest.enabled == isEnabled
            {
                violate("what was answered ok exists", "\(name) enabled \(isEnabled)")
            }
        default: break
        }
    }

    /// A cancel that was answered with "told to end" left for the worker in the same breath.
    mutating func checkEvent(_ event: Event, _ actions: [Action]) {
        for action in actions {
            guard case .reply(_, .cancelled(_, let ending)) = action else { continue }
            for told in ending {
                guard let execution = core?.executions[told.execution],
                    let key = execution.attempt?.key,
                    let worker = core?.worker(execution.taskClass), worker.isReady,
                    !worker.isBlocked
                else { continue }
                let isSent = actions.contains {
                    if case .send(_, .cancel(let attempt, _, _)) = $0 { attempt == key } else { false }
                }
                if !isSent { violate("a cancel reaches its worker", told.execution) }
            }
        }
    }

    mutating func checkKill(_ index: Int) {
        checks.expectedKills[index] = nil
        guard boot > workers[index].blameUntil, workers[index].life == .alive else { return }
        violate("no healthy worker is killed", "class \(index): \(core?.workers[index].why ?? "")")
    }

    // MARK: - States

    /// What must hold after each turn.
    mutating func checkTurn() {
        guard let core else { return }
        for (index, kill) in checks.expectedKills.sorted(by: { $0.key < $1.key }) {
            if workers[index].generation != kill.generation {
                checks.expectedKills[index] = nil
            } else if boot > kill.until, isSuspendedUntil < boot - 5_000_000 {
                violate("a worker that breaks a rule is killed", "class \(index)")
            }
        }
        let holding = core.executions.values.count { $0.state == .claiming || $0.state == .running }
        if holding != core.running {
            violate("places are given back", "\(core.running) held by \(holding)")
        }
        guard core.waitingChanges == 0, flying.isEmpty, core.stop == .running else { return }
        checkAgreement(core)
    }

    /// Core and store agree where nothing is on its way between them.
    private mutating func checkAgreement(_ core: SchedulerCore) {
        for (id, task) in store.tasks where !task.isDeleted {
            guard let known = core.tasks[id] else {
                return violate("core and store agree", "the core lacks \(id)")
            }
            if known.record.nextRun != task.record.nextRun {
                return violate(
                    "core and store agree",
                    "next run of \(id): \(known.record.nextRun.map { "\($0)" } ?? "never") and "
                        + "\(task.record.nextRun.map { "\($0)" } ?? "never")")
            }
        }
        for id in core.taskIDs where store.tasks[id]?.isDeleted ?? true {
            return violate("core and store agree", "the store lacks \(id)")
        }
        for execution in core.executions.values where execution.state == .queued {
            guard execution.attempts == 0 else { continue }
            let row = store.occurrences[execution.task.uid]?[execution.plannedAt]
            if row?.disposition != .deferred {
                return violate(
                    "what waits stands in the store",
                    "\(execution.task) at \(execution.plannedAt), \(execution.trigger), recorded \(execution.recorded.map(\.rawValue) ?? "nothing"), row \(row.map { "\($0)" } ?? "none"), blocked by \(core.blocker(of: execution)), held \(core.running)")
            }
        }
        for id in store.waitingExecutions where core.executions[id] == nil {
            return violate("core and store agree", "waiting \(id) is forgotten")
        }
        for key in store.runningAttempts {
            guard let id = store.attempts[key]?.execution, core.executions[id] == nil else {
                continue
            }
            return violate("core and store agree", "running \(id) is forgotten")
        }
    }

    mutating func checkStopped() {
        for key in store.runningAttempts where storeFault.map({ boot > $0.until + 10_000_000 }) ?? true {
            return violate("a stop ends all", "attempt \(key) stands as running")
        }
    }

    /// Once faults have stopped, everything goes on.
    mutating func checkEnd() {
        guard let core else { return }
        guard checks.violation == nil else { return }
        for (id, _) in checks.requests.sorted(by: { $0.key < $1.key }) {
            return violate("one reply for each request", "request \(id) has none")
        }
        for worker in core.workers where !worker.isReady {
            return violate("what is allowed to run does", "class \(worker.taskClass) is \(worker.state)")
        }
        let now = time.wall
        for id in core.taskIDs {
            guard let task = core.tasks[id], task.record.enabled, let next = task.record.nextRun
            else { continue }
            if next + task.policies.jitter < now - .seconds(5) {
                return violate("no timer is lost", "\(id) was due at \(next)")
            }
        }
        for execution in core.executions.values.sorted(by: { $0.id < $1.id }) {
            let since = execution.since(now)
            switch execution.state {
            case .claiming, .withdrawing, .ending:
                if since > .seconds(60) {
                    return violate("nothing stays half done", "\(execution.id) is \(execution.state)")
                }
            case .running:
                if since > .seconds(1800), execution.attempts <= 1 {
                    return violate("an attempt ends", "\(execution.id) since \(since)")
                }
            case .queued:
                let blocker = core.blocker(of: execution)
                let isFull = core.running >= core.settings.maximumConcurrency
                if blocker == .worker || blocker == .concurrency && !isFull {
                    return violate("what is allowed to run does", "\(execution.id) waits for \(blocker)")
                }
                if blocker == .overlap, core.tasks[execution.task.id]?.open.isEmpty == true {
                    return violate("what is allowed to run does", "\(execution.id) waits for nobody")
                }
            case .waiting:
                if let at = execution.retryAt, at < now - .seconds(60) {
                    return violate("no timer is lost", "\(execution.id) was to be tried at \(at)")
                }
            case .over: break
            }
        }
    }

}

extension Execution {
    /// For how long it has been what it is, at most.
    func since(_ now: Instant) -> Duration { now - (startedAt ?? plannedAt) }
}

extension StoreChange {
    /// When something was decided of a task's instants; nil where this is about something else.
    fileprivate func decision(of task: TaskKey) -> Instant? {
        switch self {
        case .occurrence(task, _, _, _, let at), .deferral(task, _, _, _, _, let at): at
        case .claim(let claim) where claim.task == task: claim.at
        default: nil
        }
    }
}
