// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import AicoCore

extension SchedulerCore {
    /// Puts a waiting execution into the queue, if nothing of its own task is before it.
    mutating func place(_ id: String) {
        guard let execution = executions[id], execution.state == .queued else { return }
        if execution.isInLine {
            guard let task = task(execution.task) else { return }
            guard isFree(task, for: id) else { return }
        }
        let priority = task(execution.task)?.policies.priority ?? execution.policies.priority
        let lane = lane(of: execution)
        executions[id]?.ticket = queue.insert(execution, priority: priority, lane: lane)
        // At least half of it is passed over then, which pays for looking at all of it.
        let executions = executions
        queue.tidy(execution.workerNumber, lane, beyond: 2 * queued + 1024) {
            executions[$0.execution]?.ticket == $0.ticket
        }
        needsAdmission = true
    }

    /// Whether the first of a task's line may run: nothing of its name is open.
    private func isFree(_ task: TaskState, for id: String) -> Bool {
        guard task.open.isEmpty, ending[task.id]?.isEmpty ?? true else { return false }
        return firstInLine(of: task.key) == id || planted(.overlapIgnored)
    }

    /// Lets the next of a task's line come forward.
    mutating func promote(_ name: TaskID) {
        guard let key = tasks[name]?.key, let first = firstInLine(of: key),
            executions[first]?.ticket == 0
        else { return }
        place(first)
    }

    private func lane(of execution: Execution) -> Queue.Lane {
        if execution.isExempt || execution.attempts > 0 { return .exempt }
        return execution.policies.idleOnly ? .idle : .normal
    }

    /// What of the machine holds back a lane; nil where nothing does.
    func gate(_ lane: Queue.Lane) -> Admission.Deferral? {
        if lane == .exempt { return nil }
        if lane == .idle, planted(.idleOnlyIgnored) { return nil }
        switch load {
        case .notYet:
            // Whether the machine is idle nothing but a measure can say.
            if lane == .idle { return .loadUnknown }
            return now.boot - startedAt.boot < settings.loadPatience ? .loadUnknown : nil
        case .unknowable: return nil
        case .known(let load):
            return Admission.gate(
                load, thresholds: settings.thresholds, isIdleOnly: lane == .idle)
        }
    }

    /// Decides about all that waits, at most so much in one turn.
    mutating func admit() {
        guard stop == .running else {
            // Nothing starts any more: the loop must not come back for it again and again.
            needsAdmission = false
            return recordFresh()
        }
        if needsAdmission {
            needsAdmission = false
            releaseHeld()
            start()
            hold()
        }
        recordFresh()
    }

    /// Whether one more may run in a worker: the places are its class's, also those of its profile
    /// that it tells of as its capacity.
    func hasPlace(_ worker: Worker) -> Bool {
        guard worker.isReady else { return false }
        if planted(.classLimitIgnored) { return true }
        let taskClass = worker.id.taskClass
        let limit = min(
            settings.classConcurrency[taskClass] ?? settings.maximumConcurrency, worker.capacity)
        let running = workers.reduce(0) { sum, other in
            other.id.taskClass == taskClass ? sum + other.running : sum
        }
        return running < limit
    }

    /// Starts what may, the most important first.
    private mutating func start() {
        var left = settings.admissionsPerTurn
        let lanes = Queue.Lane.allCases.filter { gate($0) == nil }
        while running < settings.maximumConcurrency || planted(.globalLimitIgnored) {
            let places = workers.filter(hasPlace).flatMap { worker in
                lanes.map { (worker.id, $0) }
            }
            guard let entry = queue.removeFirst(of: places) else { return }
            guard let execution = executions[entry.execution], execution.ticket == entry.ticket,
                execution.state == .queued
            else { continue }
            executions[entry.execution]?.ticket = 0
            if execution.isInLine {
                // Another of its name may have begun since it came forward.
                guard let task = task(execution.task), isFree(task, for: execution.id) else {
                    continue
                }
            }
            claim(execution.id)
            left -= 1
            if left == 0 {
                needsAdmission = true
                return
            }
        }
    }

    /// Marks what only the machine holds back: from now on its patience counts.
    private mutating func hold() {
        var left = settings.admissionsPerTurn
        for lane in [Queue.Lane.normal, .idle] {
            guard let reason = gate(lane) else { continue }
            for worker in workers where worker.isReady {
                while let entry = queue.first(of: worker.id, lane) {
                    guard left > 0 else {
                        needsAdmission = true
                        return
                    }
                    left -= 1
                    _ = queue.removeFirst(of: worker.id, lane)
                    guard let execution = executions[entry.execution],
                        execution.ticket == entry.ticket, execution.state == .queued
                    else { continue }
                    hold(execution, reason)
                }
            }
        }
        if !held.isEmpty, bootTimers.time(of: .resources) == nil {
            bootTimers.set(.resources, at: now.boot + settings.resourceCheckInterval)
        }
    }

    private mutating func hold(_ execution: Execution, _ reason: Admission.Deferral) {
        let id = execution.id
        executions[id]?.ticket = 0
        held.insert(id)
        if execution.heldSince == nil {
            executions[id]?.heldSince = now.boot
            bootTimers.set(
                .maximumDefer(id), at: now.boot + execution.policies.maximumDefer)
        }
        record(id, reason)
    }

    /// Puts back what the machine held, where it no longer does.
    private mutating func releaseHeld() {
        guard !held.isEmpty else { return }
        let open = (normal: gate(.normal) == nil, idle: gate(.idle) == nil)
        guard open.normal || open.idle else { return }
        let freed = held.filter { id in
            guard let execution = executions[id] else { return true }
            return lane(of: execution) == .idle ? open.idle : open.normal
        }
        for id in freed.sorted() {
            held.remove(id)
            place(id)
        }
    }

    /// The machine has held an execution back for as long as its task permits.
    ///
    /// Beyond that a busy machine no longer holds it back, but `idle_only` means what it says: such
    /// a one is skipped.
    mutating func endDefer(_ id: String) {
        guard let execution = executions[id], execution.state == .queued else { return }
        held.remove(id)
        if execution.policies.idleOnly {
            return skip(id, Admission.Refusal.maximumDefer.rawValue)
        }
        executions[id]?.isExempt = true
        place(id)
    }

    /// Notes in the store that what began to wait in this turn does.
    private mutating func recordFresh() {
        guard !fresh.isEmpty else { return }
        let waiting = fresh
        fresh = []
        if planted(.waitNotRecorded) { return }
        for id in waiting {
            guard let execution = executions[id], execution.state == .queued else { continue }
            record(id, blocker(of: execution))
        }
    }

    /// What holds an execution back now.
    package func blocker(of execution: Execution) -> Admission.Deferral {
        if stop != .running { return .stopping }
        if execution.isInLine, let task = task(execution.task), !isFree(task, for: execution.id) {
            return .overlap
        }
        guard let workerID = workerID(of: execution), worker(workerID).isReady else {
            return .worker
        }
        if let reason = gate(lane(of: execution)) { return reason }
        return running < settings.maximumConcurrency ? .classConcurrency : .concurrency
    }

    /// The same with its reason in words.
    package func waits(_ execution: Execution) -> Reply.Waits {
        let reason = blocker(of: execution)
        let detail: String
        switch reason {
        case .overlap: detail = "another execution of the task is not over"
        case .worker: detail = wordsOfWorker(of: execution)
        case .concurrency:
            detail = "all \(settings.maximumConcurrency) places are taken"
        case .classConcurrency:
            detail = "all places of class \(execution.taskClass.name) are taken"
        case .cpu: detail = "the processors are busier than max_cpu_percent"
        case .memory: detail = "more memory is used than max_memory_percent"
        case .notIdle:
            detail = "the machine is busier than idle_threshold_cpu or idle_threshold_memory"
        case .loadUnknown: detail = "how busy the machine is, is not known yet"
        case .stopping: detail = "the system is stopping"
        }
        return Reply.Waits(reason: reason, detail: detail, since: execution.queuedAt)
    }

    private func wordsOfWorker(of execution: Execution) -> String {
        guard let workerID = workerID(of: execution) else {
            let type = task(execution.task)?.record.type ?? ""
            return "no worker has its type \"\(type)\"; see aico scheduler health"
        }
        return words(of: worker(workerID))
    }

    /// Why a worker takes no orders; a class is as well as its shipped one.
    package func words(of worker: Worker) -> String {
        let subject =
            worker.id.isShipped
            ? "class \(worker.id.taskClass.name)" : "worker \(worker.id.name)"
        let name = "\(subject) takes no orders"
        switch worker.state {
        case .ready: return "\(subject) takes orders"
        case .absent:
            return worker.lastEnd.map { "\(name): its worker \($0)" }
                ?? "\(name): its worker is not launched yet"
        case .launched: return "\(name) yet: its worker is starting"
        case .probing: return "\(name) yet: its canary is running"
        case .canaryFailed, .quarantined: return "\(name): \(worker.why ?? "it is out of order")"
        }
    }

    /// Writes that an execution waits, once, and tells who asked for it.
    mutating func record(_ id: String, _ reason: Admission.Deferral) {
        guard let execution = executions[id], execution.recorded == nil else { return }
        executions[id]?.recorded = reason
        executions[id]?.wasDeferred = true
        guard execution.attempts == 0 else { return }
        write(
            [
                .deferral(
                    execution.task, plannedAt: execution.plannedAt, reason: reason.rawValue,
                    trigger: execution.trigger, execution: id, at: now.wall)
            ] + lettersOf(execution), then: .recorded(id),
            publishing: [
                .deferred(
                    execution.subject, plannedAt: execution.plannedAt, waits(execution))
            ], isRefusable: execution.asked != nil)
    }

    /// A dead letter is sent back with the first row of the execution that takes its place.
    func lettersOf(_ execution: Execution) -> [StoreChange] {
        guard let letter = execution.deadLetter else { return [] }
        return [.resolveDeadLetter(id: letter, at: now.wall, retriedAs: execution.id)]
    }

    /// That an execution waits stands in the store: it exists.
    mutating func recorded(_ id: String, _ outcome: StoreOutcome) {
        guard let execution = executions[id] else { return }
        if outcome == .alreadyClaimed { return recordedBefore(execution) }
        guard let request = execution.asked else { return }
        executions[id]?.asked = nil
        reply(
            request,
            .execution(
                id, execution.task.id, waits: execution.state == .queued ? waits(execution) : nil))
    }

    /// The instant ran before a clock was set back.
    private mutating func recordedBefore(_ execution: Execution) {
        // Otherwise the store says so once more in answer to its claim.
        guard execution.state == .queued else { return }
        if execution.trigger.isRequested {
            takeNextInstant(execution.id)
        } else if move(execution.id, .skip) {
            forget(execution.id)
        }
    }

    /// Gives a requested execution the next microsecond, and has its waiting noted there.
    mutating func takeNextInstant(_ id: String) {
        guard let execution = executions[id] else { return }
        executions[id]?.plannedAt = execution.plannedAt + .microseconds(1)
        executions[id]?.recorded = nil
        fresh.append(id)
    }
}
