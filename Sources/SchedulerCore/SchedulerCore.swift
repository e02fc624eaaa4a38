// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import AicoCore

/// The scheduler's decisions: events and time in, actions out.
///
/// No I/O, clock, randomness or closure: whoever holds a core feeds it what happened and does what
/// it says, so that a simulation can play time and failure through. A change of state that must
/// not be undone by a crash leaves as `write` and comes back as `committed`; orders, replies and
/// events that depend on it leave only then. Feed `settle` once the events of a turn are in:
/// it decides about what waits and lets the changes leave.
package struct SchedulerCore: Sendable {
    /// What the core was told at its making.
    package private(set) var settings: CoreSettings
    /// When it began.
    package let startedAt: Time
    /// Tasks by name.
    package internal(set) var tasks = PartedDictionary<TaskID, TaskState>()
    /// The names, sorted.
    package internal(set) var taskIDs = TaskNames()
    /// Executions that are not over, by id.
    package internal(set) var executions = PartedDictionary<String, Execution>()
    /// How many of them wait for a place.
    package internal(set) var queued = 0
    /// By their numbers.
    package internal(set) var workers: [Worker]
    /// Which part of its life it is in.
    package internal(set) var stop = StopState.running
    /// What is remembered for health.
    package var health = HealthMemory()
    /// How busy the machine is.
    package internal(set) var load = MachineLoad.notYet
    /// What the store did not take.
    package internal(set) var storeTrouble: StoreTrouble?
    /// What of the store could not be read at the start.
    package internal(set) var damages: [String] = []
    /// This boot, until the store knows it.
    package internal(set) var unnotedBoot: String?
    /// Changes that can never be written: how many, and the first ones in words.
    var lost: (count: Int, words: [String]) = (0, [])
    /// Executions that hold one of all places.
    package internal(set) var running = 0
    /// How often the wall clock was stepped, and by how much last.
    package internal(set) var clockSteps: (count: Int, last: Duration) = (0, .zero)

    /// Executions by their tasks.
    var byTask = PartedDictionary<TaskKey, TaskExecutions>()
    /// Executions by the key of their running attempt.
    var attempts: [AttemptKey: String] = [:]
    var queue: Queue
    /// Tasks whose next runs moved in this turn, which the store is yet to be told.
    var replanned: [TaskKey] = []
    /// Held back by the machine.
    var held: Set<String> = []
    /// Waiting since this turn, with nothing in the store that says so.
    var fresh: [String] = []
    /// Executions of deleted tasks that have yet to end, by name.
    var ending: [TaskID: Set<String>] = [:]
    var wallTimers = Timers<TaskKey, Instant>()
    /// Instants of executions that were claimed ahead: as many as there are places at most.
    var startTimers = Timers<String, Instant>()
    var bootTimers = Timers<BootTimer, Duration>()
    var ids: IDGenerator
    var ledger = Ledger()
    var audits = AuditBudget()
    /// Requests that wait for their task's row to be written or removed.
    var heldRequests: [TaskID: [(id: RequestID, actor: String, request: Request)]] = [:]
    /// Cancels whose answers wait for the store.
    var cancels: [RequestID: CancelInHand] = [:]
    /// Dead letters that were sent back by this scheduler.
    var retriedLetters: Set<Int64> = []
    /// Canaries that were ordered so far.
    var canaries: UInt64 = 0
    /// The moment of the event that is being handled.
    var now: Time
    /// The moment of the event before.
    var last: Time
    /// When the loop meant to be back at the latest, by the boot clock.
    var expectedBack: Duration?
    /// Instants up to here may come a second time: the clock was set back.
    var repeatedUntil: Instant?
    /// Since when a start counts as late: later than a step or a pause that hid its time.
    var punctualSince: Duration
    /// Whether more timers are due than one turn fired.
    var hasDueTimers = false
    /// Whether something changed that may let what waits start.
    var needsAdmission = false
    var actions: [Action] = []

    #if AICO_MUTANTS
        /// The fault that is planted, to prove that it is caught.
        package var mutant: Mutant?
    #endif

    package init(settings: CoreSettings, at now: Time) {
        self.settings = settings
        self.now = now
        last = now
        startedAt = now
        punctualSince = now.boot
        workers = settings.workers.map { Worker($0, at: now) }
        queue = Queue(workers: workers.count)
        ids = IDGenerator(seed: settings.seed)
    }

    /// Takes one event; gives what is to be done about it, in order.
    package mutating func handle(_ event: Event, at time: Time) -> [Action] {
        last = now
        now = time
        noticeTime()
        receive(event)
        if case .ended = stop { expectedBack = nil }
        // Most events have few: to keep the capacity of one that had many would cost each of them.
        let taken = actions
        actions = []
        return taken
    }

    /// When the loop has to be back, by each clock; nil where nothing waits for it.
    package var wake: (wall: Instant?, boot: Duration?) {
        mutating get { (earliestWall, bootTimers.earliest) }
    }

    private var earliestWall: Instant? {
        mutating get { [wallTimers.earliest, startTimers.earliest].compactMap { $0 }.min() }
    }

    /// Whether there is more to do than one turn may take: the loop is not to sleep.
    package var isBusy: Bool { needsAdmission || hasDueTimers || !fresh.isEmpty }

    /// Tells the longest that an attempt of a type may take where its task does not say.
    package mutating func setTimeout(_ timeout: Duration, ofType type: String) {
        settings.typeTimeouts[type] = timeout
    }

    /// Tells which worker has which type, and the classes whose shipped worker did not say.
    package mutating func setTypes(
        _ typeWorkers: [String: WorkerID], undescribed: Set<TaskClass>
    ) {
        settings.typeWorkers = typeWorkers
        settings.undescribed = undescribed
    }

    /// A worker as it stands.
    package func worker(_ workerID: WorkerID) -> Worker { workers[workerID.number] }

    /// The worker that has a task's type; nil where none has.
    package func workerID(of task: TaskState) -> WorkerID? {
        if let worker = settings.typeWorkers[task.record.type], !planted(.typeIgnored) {
            return worker
        }
        let taskClass = task.id.taskClass
        // Where another worker serves the class, what nobody has may be its type.
        let isOnly = !workers.contains { $0.id.taskClass == taskClass && !$0.id.isShipped }
        let isShipped =
            settings.undescribed.contains(taskClass) && isOnly || planted(.typeIgnored)
        return isShipped ? .shipped(taskClass) : nil
    }

    /// The worker that an execution's attempts run in; nil where none has its type.
    package func workerID(of execution: Execution) -> WorkerID? {
        execution.workerNumber.map { workers[Int($0)].id }
    }

    /// The task of an identity; nil once it is deleted.
    package func task(_ key: TaskKey) -> TaskState? {
        guard let task = tasks[key.id], task.key.uid == key.uid else { return nil }
        return task
    }

    private mutating func receive(_ event: Event) {
        if case .ended = stop { return }
        switch event {
        case .start(let recovered): recover(recovered)
        case .request(let id, let actor, let request): receive(request, id, from: actor)
        case .committed(let token, let result): committed(token, result)
        case .report(let workerID, let report): receive(report, from: workerID)
        case .malformedReport(let workerID, let why):
            // What a dead one left behind says nothing of its successor.
            if worker(workerID).state != .absent, hears(workerID) { quarantine(workerID, why) }
        case .worker(let workerID, let news): receive(news, of: workerID)
        case .unsent(let workerID, let order): takeBack(order, of: workerID)
        case .writable(let workerID): unblock(workerID)
        case .load(let load):
            self.load = load
            if queued > 0 { needsAdmission = true }
        case .writeAheadLog(let bytes, let readers): note(logBytes: bytes, readers)
        case .clockSet: log(.notice, "the wall clock was set")
        case .suspended(let time): resume(after: time)
        case .audit(let actor, let action, let subject, let detail):
            auditBounded(actor, action, subject, detail)
        case .timer: break
        case .stop: beginStop()
        case .supervisorLost:
            move(.orphaned)
        case .settle(let heard): settle(heard)
        }
    }

    /// Ends a turn: fires what is due, decides about what waits, lets the changes leave.
    private mutating func settle(_ heard: Heard) {
        fireTimers(heard)
        admit()
        writeNextRuns()
        finishStop()
        flush()
        expectedBack = [
            bootTimers.earliest, earliestWall.map { now.boot + max(.zero, $0 - now.wall) },
            now.boot + settings.longestSleep,
        ].compactMap { $0 }.min()
        if isBusy { expectedBack = now.boot }
    }

    private mutating func fireTimers(_ heard: Heard) {
        // A million that are due at once take many turns, and others are served between.
        var left = settings.timersPerTurn
        var ahead: [TaskKey] = []
        while let (id, _) = startTimers.pop(dueAt: now.wall) { startAtInstant(id) }
        while left > 0, let (key, _) = wallTimers.pop(dueAt: now.wall) {
            if isDueLater(key) { ahead.append(key) } else { fire(key) }
            left -= 1
        }
        hasDueTimers = left == 0
        fireAhead(ahead)
        left = settings.timersPerTurn
        var unheard: [(BootTimer, Duration)] = []
        while left > 0, let (timer, due) = bootTimers.pop(dueAt: now.boot) {
            left -= 1
            guard isOver(timer, due, heard) else {
                unheard.append((timer, due))
                continue
            }
            switch timer {
            case .retry(let execution): retryDue(execution)
            case .backstop(let key): enforceBackstop(key)
            case .maximumDefer(let execution): endDefer(execution)
            case .resources: needsAdmission = true
            case .ping(let workerID): pingAgain(workerID)
            case .canary(let workerID): missCanary(workerID)
            case .heartbeat(let workerID): beat(workerID)
            case .silence(let workerID): noticeSilence(workerID)
            case .store: ledger.mustTry = true
            case .waitingWrites: ledger.isUrgent = true
            case .stop: abandonRunning()
            case .audit: writeCountedAudits()
            case .boot: noteBoot()
            }
        }
        for (timer, due) in unheard { bootTimers.set(timer, at: due) }
        hasDueTimers = hasDueTimers || left == 0 || !unheard.isEmpty
    }

    mutating func log(_ level: Note.Level, _ message: String, _ facts: [String: String] = [:]) {
        actions.append(.log(Note(level, message, facts)))
    }

    mutating func reply(_ id: RequestID, _ reply: Reply) { actions.append(.reply(id, reply)) }

    mutating func refuse(
        _ id: RequestID, _ code: Refusal.Code, _ message: String, hint: String = ""
    ) {
        reply(id, .refused(Refusal(code, message, hint: hint)))
    }
}
