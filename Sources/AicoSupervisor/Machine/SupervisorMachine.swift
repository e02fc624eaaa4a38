// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire

/// What the supervisor does when: state and event to new state and actions, no system call.
///
/// The scheduler's state decides which table applies; each worker has a state of its own.
struct SupervisorMachine: Equatable {
    /// From the stop's beginning to the kill of what is left.
    static let stopGrace = Duration.seconds(10)
    /// The exit status of a scheduler that cannot work with its configuration (sysexits.h).
    static let refusal: Int32 = 78

    private(set) var scheduler = SchedulerState.running
    private(set) var heartbeat = Heartbeat()
    private(set) var workers: [WorkerID: WorkerState]
    /// The workers that take orders, as the scheduler says.
    private(set) var takesOrders: Set<WorkerID> = []
    /// By their numbers.
    private let workerIDs: [WorkerID]
    /// Whether a scheduler of this start came so far as to ask for a worker.
    private var hasWorked = false
    private var schedulerBackoff = Backoff()
    private var workerBackoffs: [WorkerID: Backoff] = [:]

    /// Makes a machine of a system that has these workers, by their numbers.
    init(workers: [WorkerID]) {
        workerIDs = workers
        self.workers = Dictionary(uniqueKeysWithValues: workers.map { ($0, .idle) })
    }

    /// The first actions.
    static let start: [SupervisorAction] = [
        .launchScheduler, .startTimer(.heartbeat, Heartbeat.interval),
    ]

    /// Takes one event.
    mutating func handle(_ event: SupervisorEvent) -> [SupervisorAction] {
        if scheduler == .finished { return [] }
        switch event {
        case .message(let message):
            return handle(message: message)
        case .violation(let violation):
            return handle(violation: violation)
        case .schedulerExited(let status, let ranFor):
            if let actions = refuseStart(status: status) { return actions }
            return handleSchedulerEnd(ranFor: ranFor) {
                .schedulerEnded(status: status, relaunchIn: $0)
            }
        case .schedulerLaunchFailed(let errno):
            return handleSchedulerEnd(ranFor: .zero) {
                .schedulerNotLaunched(errno: errno, relaunchIn: $0)
            }
        case .workerLaunched(let workerID, let processID):
            return handleLaunched(workerID, processID: processID)
        case .workerLaunchFailed(let workerID, let errno, let words):
            return handleLaunchFailure(workerID, errno: errno, words: words)
        case .workerExited(let workerID, let status, let ranFor, let words):
            return handleExit(workerID, status: status, ranFor: ranFor, words: words)
        case .timer(let timer):
            return handle(timer: timer)
        case .overslept:
            heartbeat.waitAnew()
            return []
        case .stopSignal:
            return stop()
        }
    }

    // MARK: - The scheduler

    private mutating func handle(message: SupervisorMessage) -> [SupervisorAction] {
        guard scheduler == .running || scheduler == .stopping else { return [] }
        switch message.kind {
        case .launch, .kill:
            guard workerIDs.indices.contains(Int(message.worker)) else {
                return handle(violation: .undecodable)
            }
            let workerID = workerIDs[Int(message.worker)]
            return message.kind == .launch ? handleLaunch(workerID) : handleKill(workerID)
        case .status:
            return workerIDs.map { .send(statusMessage(of: $0)) }
        case .stop:
            return stop()
        case .ready:
            guard workerIDs.indices.contains(Int(message.worker)), 0...1 ~= message.argument else {
                return handle(violation: .undecodable)
            }
            noteReady(workerIDs[Int(message.worker)], message.argument == 1)
            return []
        case .pong:
            return heartbeat.answer(message.argument) ? [] : handle(violation: .unasked)
        case .launched, .exited, .launchFailed, .shutdown, .ping:
            return handle(violation: .wrongDirection)
        }
    }

    private mutating func handle(violation: Violation) -> [SupervisorAction] {
        switch scheduler {
        case .running:
            scheduler = .dying
            return [.log(.schedulerViolated(violation)), .killScheduler] + killAllWorkers()
        case .stopping:
            // A scheduler that finishes closes its end first: only its exit counts now.
            return violation == .closed
                ? [] : [.log(.schedulerViolated(violation)), .killScheduler]
        case .dying, .backingOff, .finished:
            return []
        }
    }

    /// Asks the scheduler for a sign of life, or kills one that gave none for too long.
    private mutating func beat() -> [SupervisorAction] {
        guard scheduler == .running else { return [] }
        if let time = heartbeat.silence {
            scheduler = .dying
            return [.log(.schedulerSilent(time)), .killScheduler] + killAllWorkers()
        }
        let ping = SupervisorMessage(kind: .ping, argument: heartbeat.ask())
        return [.send(ping), .startTimer(.heartbeat, Heartbeat.interval)]
    }

    /// Ends a start whose first scheduler refused its configuration: the next one would too. A system
    /// that has worked tries again, as whatever is in its way may go.
    private mutating func refuseStart(status: Int32) -> [SupervisorAction]? {
        guard !hasWorked, status == Self.refusal << 8 else { return nil }
        switch scheduler {
        case .running, .dying:
            scheduler = .finished
            return [.refuseStart]
        case .stopping, .backingOff, .finished:
            return nil
        }
    }

    private mutating func handleSchedulerEnd(
        ranFor: Duration, note: (Duration) -> SupervisorNote
    ) -> [SupervisorAction] {
        switch scheduler {
        case .running, .dying:
            scheduler = .backingOff
            let delay = schedulerBackoff.next(ranFor: ranFor)
            return [.log(note(delay))] + killAllWorkers() + [.startTimer(.relaunchScheduler, delay)]
        case .stopping:
            scheduler = .finished
            return [.finish]
        case .backingOff, .finished:
            return []
        }
    }

    private mutating func stop() -> [SupervisorAction] {
        let timers = workerIDs.map { SupervisorAction.stopTimer(.relaunchWorker($0)) }
        switch scheduler {
        case .running:
            scheduler = .stopping
            return [.log(.stopping)] + timers + [
                .send(SupervisorMessage(kind: .shutdown)),
                .startTimer(.stopGrace, Self.stopGrace),
            ]
        case .dying, .backingOff:
            scheduler = .finished
            return [.log(.stopping), .stopTimer(.relaunchScheduler), .finish]
        case .stopping, .finished:
            return []
        }
    }

    private mutating func handle(timer: SupervisorTimer) -> [SupervisorAction] {
        switch timer {
        case .relaunchScheduler:
            guard scheduler == .backingOff else { return [] }
            scheduler = .running
            heartbeat.forget()
            return Self.start
        case .heartbeat:
            return beat()
        case .relaunchWorker(let workerID):
            guard scheduler == .running, case .backingOff = workers[workerID] else { return [] }
            workers[workerID] = .launching
            return [.launchWorker(workerID)]
        case .stopGrace:
            guard scheduler == .stopping else { return [] }
            scheduler = .finished
            return [.log(.graceOver), .finish]
        }
    }

    // MARK: - Workers

    private mutating func handleLaunch(_ workerID: WorkerID) -> [SupervisorAction] {
        // A stop may cross a launch on its way; it starts nothing any more.
        if scheduler == .stopping { return [] }
        heartbeat.start()
        hasWorked = true
        switch worker(workerID) {
        case .idle:
            workers[workerID] = .launching
            return [.launchWorker(workerID)]
        case .backingOff:
            // Its exit may cross the request; the timer brings it back.
            return []
        case .dying(wanted: false):
            workers[workerID] = .dying(wanted: true)
            return []
        case .launching, .running, .dying(wanted: true):
            return handle(violation: .outOfTurn)
        }
    }

    private mutating func handleKill(_ workerID: WorkerID) -> [SupervisorAction] {
        switch worker(workerID) {
        case .running:
            return [.log(.workerKillAsked(workerID)), .killWorker(workerID)]
        case .idle, .launching, .backingOff, .dying:
            // Nothing of it runs: an exit may have crossed the request.
            return []
        }
    }

    private mutating func handleLaunched(
        _ workerID: WorkerID, processID: UInt64
    ) -> [SupervisorAction] {
        switch worker(workerID) {
        case .launching:
            workers[workerID] = .running(processID: processID)
            return [
                .log(.workerLaunched(workerID, processID: processID)),
                .send(message(.launched, workerID, processID: processID)),
            ]
        case .idle, .running, .backingOff, .dying:
            // Not asked for, or no longer: it may not live on.
            return [.killWorker(workerID)]
        }
    }

    private mutating func handleLaunchFailure(
        _ workerID: WorkerID, errno: Int32, words: [UInt8]
    ) -> [SupervisorAction] {
        if case .dying = worker(workerID) {
            return handleExit(workerID, status: 0, ranFor: .zero)
        }
        guard worker(workerID) == .launching else { return [] }
        let delay = workerBackoffs[workerID, default: Backoff()].next(ranFor: .zero)
        workers[workerID] = .backingOff(lastStatus: 0)
        let note = SupervisorAction.log(
            .workerNotLaunched(workerID, errno: errno, relaunchIn: delay))
        let told = SupervisorAction.send(
            message(.launchFailed, workerID, argument: errno, words: words))
        return [note, told, .startTimer(.relaunchWorker(workerID), delay)]
    }

    private mutating func handleExit(
        _ workerID: WorkerID, status: Int32, ranFor: Duration, words: [UInt8] = []
    ) -> [SupervisorAction] {
        takesOrders.remove(workerID)
        switch worker(workerID) {
        case .running:
            let told = SupervisorAction.send(
                message(.exited, workerID, argument: status, words: words))
            // The worker's tasks go with it: they would run on unseen.
            let killed = SupervisorAction.killWorker(workerID)
            if scheduler == .stopping {
                workers[workerID] = .idle
                let note = SupervisorNote.workerEnded(workerID, status: status, relaunchIn: nil)
                return [.log(note), killed, told]
            }
            let delay = workerBackoffs[workerID, default: Backoff()].next(ranFor: ranFor)
            workers[workerID] = .backingOff(lastStatus: status, words: words)
            return [
                .log(.workerEnded(workerID, status: status, relaunchIn: delay)), killed, told,
                .startTimer(.relaunchWorker(workerID), delay),
            ]
        case .dying(let wanted):
            let isNeeded = wanted && scheduler == .running
            workers[workerID] = isNeeded ? .launching : .idle
            return isNeeded ? [.launchWorker(workerID)] : []
        case .idle, .launching, .backingOff:
            return []
        }
    }

    private mutating func killAllWorkers() -> [SupervisorAction] {
        takesOrders = []
        var actions: [SupervisorAction] = []
        for workerID in workerIDs {
            switch worker(workerID) {
            case .running, .launching:
                workers[workerID] = .dying(wanted: false)
                actions.append(.killWorker(workerID))
            case .dying:
                workers[workerID] = .dying(wanted: false)
            case .backingOff:
                workers[workerID] = .idle
                actions.append(.stopTimer(.relaunchWorker(workerID)))
            case .idle:
                break
            }
        }
        return actions
    }

    /// An exit may have crossed the word of a worker that took orders.
    private mutating func noteReady(_ workerID: WorkerID, _ takesOrders: Bool) {
        if takesOrders, case .running = worker(workerID) {
            self.takesOrders.insert(workerID)
        } else {
            self.takesOrders.remove(workerID)
        }
    }

    private func worker(_ workerID: WorkerID) -> WorkerState { workers[workerID] ?? .idle }

    private func statusMessage(of workerID: WorkerID) -> SupervisorMessage {
        switch worker(workerID) {
        case .running(let processID): message(.launched, workerID, processID: processID)
        case .backingOff(let status, let words):
            message(.exited, workerID, argument: status, words: words)
        case .idle, .launching, .dying: message(.exited, workerID)
        }
    }

    private func message(
        _ kind: SupervisorMessage.Kind, _ workerID: WorkerID, argument: Int32 = 0,
        processID: UInt64 = 0, words: [UInt8] = []
    ) -> SupervisorMessage {
        SupervisorMessage(
            kind: kind, worker: UInt8(workerID.number), argument: argument, processID: processID,
            words: words)
    }
}
