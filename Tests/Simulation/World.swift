// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import SchedulerCore

/// One episode: the real core among models of all that is around it, on a virtual clock.
struct World {
    /// What is planned to happen.
    enum Happening {
        case input(Int)
        /// Something reaches the core's inbox, if this scheduler still lives.
        case deliver(epoch: Int, Event)
        /// The loop is to come back.
        case wake(epoch: Int, id: Int)
        /// The store answers for a batch.
        case commit(epoch: Int, token: UInt64)
        case startScheduler
        case launched(taskClass: Int, generation: Int)
        /// An attempt has something to say, or ends.
        case attemptStarts(taskClass: Int, generation: Int, key: UInt64)
        case attemptEnds(taskClass: Int, generation: Int, key: UInt64, AttemptExit)
        case exited(taskClass: Int, epoch: Int, status: Int32)
        case thaw(taskClass: Int, generation: Int, Event)
        case writable(taskClass: Int)
        /// The stop's bound is over.
        case stopBound(epoch: Int)
    }

    struct Planned: Comparable {
        let at: Int64
        let order: UInt64
        let happening: Happening

        static func < (left: Planned, right: Planned) -> Bool {
            left.at != right.at ? left.at < right.at : left.order < right.order
        }

        static func == (left: Planned, right: Planned) -> Bool { left.order == right.order }
    }

    let inputs: [Input]
    let shapes: [Shape]
    let hours: Int
    var random: RandomSource
    var mutant: String?
    /// The boot clock, microseconds.
    var boot: Int64 = 0
    /// The wall clock less the boot clock.
    var offset: Int64
    var planned: PlannedQueue
    var core: SchedulerCore?
    var epoch = 0
    var inbox: [Event] = []
    var wakeID = 0
    var store = StoreModel()
    /// Batches that the store has not answered for.
    var flying: [(token: UInt64, changes: [StoreChange])] = []
    var storeFault: (kind: StoreFault, until: Int64)?
    var workers: [WorkerModel]
    var actionsToCrash: Int?
    var isSuspendedUntil: Int64 = 0
    var load = MachineLoad.known(Admission.Load(cpu: 5, memory: 30))
    /// The load that the core was told last.
    var toldLoad = MachineLoad.notYet
    var coreStartedAt: Int64 = 0
    var bootID = 1
    var concurrency = 6
    var classConcurrency = 3
    var isFrequent: Bool
    var isStopping = false
    var stopToldAt: Int64 = 0
    var lastTurn: Int64 = 0
    var lastRequest: UInt64 = 0
    var checks = Checks()
    var hash = TraceHash()
    var events = 0
    /// Happenings so far: a loop that never sleeps is found by their number.
    var steps = 0
    var faults = 0
    var trace: [String] = []
    var isTraced = false

    init(seed: UInt64, hours: Int, zones: [String], without left: Set<Int> = []) {
        var random = RandomSource(seed)
        self.hours = hours
        shapes = Shape.all(&random, zones: zones)
        let all = InputPlan.draw(&random, hours: hours)
        inputs = left.isEmpty ? all : all.enumerated().filter { !left.contains($0.offset) }.map(\.element)
        // Somewhere in three years; often a few days before clocks change.
        let year = Int64(random.int(0...2))
        let day = random.chance(600) ? Int64(random.pick([83, 296])) + Int64(random.int(0...9)) : Int64(random.int(0...364))
        offset = (1_704_067_200 + (year * 365 + day) * 86400) * 1_000_000 + Int64(random.int(0...999_999))
        workers = (0..<4).map { _ in WorkerModel(capacity: random.int(1...8)) }
        concurrency = random.int(1...8)
        classConcurrency = random.int(1...5)
        isFrequent = random.chance(50)
        self.random = random
        planned = PlannedQueue()
        for (index, input) in inputs.enumerated() { planned.add(input.at, .input(index)) }
        planned.add(0, .startScheduler)
    }

    var time: Time {
        Time(wall: Instant(microseconds: boot + offset), boot: .microseconds(boot))
    }

    /// Whether no more faults are to come.
    var isQuiet: Bool { boot > Int64(hours - 3) * 3_600_000_000 + 120_000_000 }

    /// Runs to the end, or to the first violation.
    mutating func run() {
        let end = Int64(hours) * 3_600_000_000
        while let next = planned.removeFirst(), next.at < end {
            boot = max(boot, next.at)
            happen(next.happening)
            steps += 1
            if steps > 4000 * hours {
                violate("the loop sleeps", "\(steps) steps; busy \(core?.isBusy ?? false) wake \(String(describing: core?.wake)) now \(time); \(next.happening)")
            }
            if checks.violation != nil { return }
        }
        boot = end
        checkEnd()
    }

    mutating func violate(_ check: String, _ what: String) {
        guard checks.violation == nil else { return }
        checks.violation = Violation(check: check, what: what, hour: Double(boot) / 3_600_000_000)
    }

    mutating func note(_ text: @autoclosure () -> String) {
        if isTraced { trace.append("[\(Double(boot) / 1_000_000)] \(text())") }
    }

    // MARK: - The scheduler's life

    mutating func startScheduler() {
        guard core == nil else { return }
        epoch += 1
        var settings = CoreSettings()
        settings.maximumConcurrency = concurrency
        for taskClass in TaskClass.allCases { settings.classConcurrency[taskClass] = classConcurrency }
        settings.seed = (random.next(), random.next())
        if !isFrequent {
            settings.heartbeatInterval = .seconds(600)
            settings.longestSleep = .seconds(900)
        }
        var core = SchedulerCore(settings: settings, at: time)
        #if AICO_MUTANTS
            core.mutant = mutant.flatMap(Mutant.init)
        #endif
        core.setTimeout(.seconds(120), ofType: "user.command")
        self.core = core
        coreStartedAt = boot
        lastTurn = boot
        isStopping = false
        actionsToCrash = nil
        toldLoad = .notYet
        checks.requests = [:]
        checks.expectedKills = [:]
        inbox = [.start(store.startFacts(shapes, bootID: "boot-\(bootID)"))]
        planned.add(boot + 100_000, .deliver(epoch: epoch, .load(load)))
        scheduleWake(at: boot + 50)
    }

    /// The scheduler is gone: all workers with it, and what was not on the disk, maybe.
    mutating func crashScheduler(restartIn delay: Int64) {
        guard core != nil else { return }
        note("the scheduler dies")
        core = nil
        epoch += 1
        inbox = []
        // What was being written is there whole, or not at all.
        for batch in flying {
            guard random.chance(500) else { break }
            _ = write(batch.changes)
        }
        flying = []
        for index in workers.indices { loseWorker(index) }
        checks.loseScheduler()
        planned.add(boot + delay, .startScheduler)
    }

    mutating func loseWorker(_ index: Int) {
        workers[index].life = .absent
        workers[index].generation += 1
        workers[index].attempts = [:]
        workers[index].frozenUntil = 0
        workers[index].isNextDeaf = false
    }

    // MARK: - The loop

    mutating func scheduleWake(at: Int64) {
        wakeID += 1
        planned.add(max(at, boot), .wake(epoch: epoch, id: wakeID))
    }

    mutating func deliver(_ event: Event, after delay: Int64) {
        planned.add(boot + delay, .deliver(epoch: epoch, event))
    }

    /// Takes what came in, settles, and goes to sleep until the core says.
    mutating func turn() {
        guard core != nil else { return }
        if boot < isSuspendedUntil { return scheduleWake(at: isSuspendedUntil) }
        let taken = inbox
        inbox = []
        for event in taken {
            feed(event)
            if core == nil || checks.violation != nil { return }
        }
        feed(.settle)
        guard core != nil, checks.violation == nil else { return }
        checkTurn()
        lastTurn = boot
        sleep()
    }

    private mutating func sleep() {
        // In place: a copy would have the core copy its timers.
        guard let wake = core?.wake, let isBusy = core?.isBusy,
            let longest = core?.settings.longestSleep.wholeMicroseconds
        else { return }
        if isBusy { return scheduleWake(at: boot + 50) }
        var at = boot + longest
        if let wall = wake.wall { at = min(at, max(boot, wall.microseconds - offset)) }
        if let limit = wake.boot { at = min(at, max(boot, limit.wholeMicroseconds)) }
        // The timer of a kernel is never early and seldom punctual.
        scheduleWake(at: at + Int64(random.int(20...2000)))
    }

    /// Hands one event to the core and does what it says, with all that follows at once.
    mutating func feed(_ event: Event) {
        var echoes = [event]
        while !echoes.isEmpty {
            let next = echoes.removeFirst()
            events += 1
            hash.add(Int(truncatingIfNeeded: boot))
            hash.add(next.code)
            let now = time
            guard let actions = core?.handle(next, at: now) else { return }
            noteEvent(next)
            checkEvent(next, actions)
            if case .settle = next { checkDecisions() }
            for action in actions {
                if let left = actionsToCrash {
                    if left == 0 {
                        actionsToCrash = nil
                        faults += 1
                        return crashScheduler(restartIn: 500_000 + Int64(random.int(0...5_000_000)))
                    }
                    actionsToCrash = left - 1
                }
                hash.add(action.code)
                if let echo = perform(action) { echoes.append(echo) }
                if core == nil || checks.violation != nil { return }
            }
        }
    }

    private mutating func noteEvent(_ event: Event) {
        guard isTraced else { return }
        if case .settle = event { return }
        if case .report(_, .pong) = event { return }
        note("-> \(String(describing: event).prefix(240))")
    }
}

/// What is planned, the earliest first.
struct PlannedQueue {
    private var heap: [World.Planned] = []
    private var order: UInt64 = 0

    mutating func add(_ at: Int64, _ happening: World.Happening) {
        order += 1
        heap.append(World.Planned(at: at, order: order, happening: happening))
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child] < heap[parent] else { break }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    mutating func removeFirst() -> World.Planned? {
        guard let first = heap.first else { return nil }
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [parent * 2 + 1, parent * 2 + 2] where child < heap.count {
                if heap[child] < heap[least] { least = child }
            }
            if least == parent { break }
            heap.swapAt(parent, least)
            parent = least
        }
        return first
    }
}

extension Event {
    /// A number for the hash.
    var code: Int {
        switch self {
        case .start: 1
        case .request(let id, _, _): 2 &+ Int(truncatingIfNeeded: id) &* 64
        case .committed(let token, let result):
            if case .success = result { 3 &+ Int(token) &* 64 } else { 4 &+ Int(token) &* 64 }
        case .report(let taskClass, _): 5 + Int(taskClass.rawValue) * 64
        case .malformedReport: 6
        case .worker(let taskClass, _): 7 + Int(taskClass.rawValue) * 64
        case .unsent: 8
        case .writable: 9
        case .load: 10
        case .clockSet: 11
        case .suspended: 12
        case .audit: 13
        case .timer: 14
        case .stop: 15
        case .supervisorLost: 16
        case .settle: 17
        }
    }
}

extension Action {
    /// A number for the hash.
    var code: Int {
        switch self {
        case .write(let token, let changes): 1 &+ Int(token) &* 64 &+ changes.count &* 4096
        case .send(let taskClass, _): 2 + Int(taskClass.rawValue) * 64
        case .publish: 3
        case .reply(let id, _): 4 &+ Int(truncatingIfNeeded: id) &* 64
        case .launchWorker(let taskClass): 5 + Int(taskClass.rawValue) * 64
        case .killWorker(let taskClass): 6 + Int(taskClass.rawValue) * 64
        case .stopSystem: 7
        case .log: 8
        case .measured(let latency): 9 &+ Int(latency.wholeMicroseconds) &* 64
        case .end(let status): 10 + Int(status) * 64
        }
    }
}
