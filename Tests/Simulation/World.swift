// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import HeapModule
import SchedulerCore

/// A machine with a scheduler on it, on a virtual clock: the real core, models of all around it.
///
/// Nothing is drawn but from the scenario's seed, the moment and what the draw is for, so that
/// leaving out an input changes little else.
struct World {
    let scenario: Scenario
    let mutant: Mutant?
    let inputs: [TimedInput]

    /// Since the episode's begin; what the boot clock counts, suspends included.
    var now = Span.zero
    /// The wall clock less `now`.
    var wallOffset: Int64
    /// When the machine was booted.
    var bootedAt = Span.zero
    var boots = 0
    var queue = Heap<Entry>()
    var order: UInt64 = 0

    var store = StoreModel()
    /// The store of the scheduler, where it takes its model's place; the model says what it is to
    /// hold.
    var real: RealStore?
    var writer = WriterModel()
    var workers: [WorkerModel]
    var runs: [UInt64: RunModel] = [:]
    var load = LoadModel()

    // The scheduler and its rim.
    var core: SchedulerCore
    var isUp = false
    /// How often a scheduler was started; what belongs to an earlier one is void.
    var life = 0
    var settingsVariant = 0
    var inbox = Inbox()
    var wakeAt = Span.never
    var pausedUntil = Span.zero
    var isClockSet = false
    var suspended = Span.zero
    var suspendedSeen = Span.zero
    var echoes: [Event] = []
    /// Actions until the scheduler dies; nil where it is not to.
    var crashAfter: Int?
    var crash: Input?
    var crashNumber = 0

    // What is counted and judged.
    var events = 0
    var faults = 0
    var hash = TraceHash()
    var judge = Judge()
    var trace: Trace?
    /// An earlier end than the scenario's; what a shrunk one is not to go beyond.
    var stopAt = Span.never

    /// Something that is to happen at its time.
    struct Entry: Comparable {
        var at: Span
        var order: UInt64
        var happening: Happening

        static func < (left: Entry, right: Entry) -> Bool {
            left.at != right.at ? left.at < right.at : left.order < right.order
        }

        static func == (left: Entry, right: Entry) -> Bool { left.order == right.order }
    }

    enum Happening {
        case input(Int)
        case quiet(Int)
        case crashAnyway(Int)
        case startScheduler(boot: Bool)
        case write(life: Int, token: UInt64)
        case answer(life: Int, token: UInt64)
        case launched(WorkerID, incarnation: Int)
        case hello(WorkerID, incarnation: Int)
        case killed(WorkerID, incarnation: Int)
        case workerNews(life: Int, WorkerID, WorkerNews, incarnation: Int)
        case relaunch(life: Int, WorkerID)
        case readOrder(WorkerID, incarnation: Int, Order)
        case step(attempt: UInt64, RunModel.Step, generation: Int)
        case report(life: Int, WorkerID, Delivery)
        case writable(WorkerID, until: Span)
        case request(life: Int, RequestID)
        case load(life: Int)
        case loadOver(Span)
    }

    init(
        _ scenario: Scenario, inputs: [TimedInput]? = nil, mutant: Mutant?,
        real: RealStore? = nil
    ) {
        self.real = real
        var scenario = scenario
        if mutant == .wrongDSTInstant { scenario.plantWrongDST() }
        self.scenario = scenario
        workers = scenario.workers.map { WorkerModel($0) }
        self.mutant = mutant
        self.inputs = inputs ?? scenario.inputs
        wallOffset = scenario.startedAt.microseconds
        core = SchedulerCore(
            settings: CoreSettings(), at: Time(wall: scenario.startedAt, boot: .zero))
    }

    var time: Time { Time(wall: wall, boot: (now - bootedAt).duration) }
    var wall: Instant { Instant(microseconds: now.microseconds + wallOffset) }
    var bootID: String { "boot-\(boots)" }

    /// A draw for something at this moment.
    func dice(_ purpose: Purpose, _ more: UInt64 = 0) -> Randomness {
        Randomness(
            scenario.seed, UInt64(bitPattern: now.microseconds), purpose.rawValue, more)
    }

    enum Purpose: UInt64 {
        case loop = 10, store, worker, reports, supervisor, client, crash, load, suspend, run
    }

    mutating func schedule(_ happening: Happening, at time: Span) {
        order += 1
        queue.insert(Entry(at: max(time, now), order: order, happening: happening))
    }

    mutating func schedule(_ happening: Happening, in delay: Span) {
        schedule(happening, at: now + delay)
    }

    func isQuiet(_ time: Span) -> Bool {
        scenario.quiets.contains { $0.begin <= time && time < $0.end }
    }

    func note(_ line: @autoclosure () -> String) {
        guard let trace else { return }
        trace.lines.append("\(now) \(wall.iso8601)  \(line())")
    }

    /// Plays the episode; stops at the first violation.
    mutating func run() {
        for input in inputs { schedule(.input(input.index), at: input.at) }
        for index in scenario.quiets.indices {
            schedule(.quiet(index), at: scenario.quiets[index].begin)
        }
        schedule(.startScheduler(boot: true), at: .milliseconds(1))
        let byIndex = Dictionary(uniqueKeysWithValues: inputs.map { ($0.index, $0) })
        let end = min(scenario.length, stopAt)
        while now < end, judge.violation == nil {
            let wake = isUp ? wakeAt : .never
            guard let next = queue.min, next.at <= wake else {
                guard wake < end else { break }
                now = max(now, wake)
                turn()
                continue
            }
            queue.removeMin()
            now = max(now, next.at)
            happen(next.happening, byIndex)
        }
        if let real { finish(real) }
    }

    /// The loop is woken, where it runs.
    mutating func poke() {
        guard isUp else { return }
        var dice = dice(.loop)
        let latency =
            dice.percent(3) ? dice.time(.zero, .milliseconds(200)) : Span(Int64(dice.below(900)))
        wakeAt = min(wakeAt, max(now + latency, pausedUntil))
    }
}

/// All that happened, in words, where somebody wants to read it.
final class Trace {
    var lines: [String] = []
}

/// What the loop has yet to take.
struct Inbox {
    struct Pending {
        var id: RequestID
        var request: Request
        var call: Call
    }

    var supervisor: [(WorkerID, WorkerNews, incarnation: Int)] = []
    var isStopping = false
    var isOrphaned = false
    var commits: [(UInt64, BatchResult)] = []
    var incidents = 0
    var reports: [[Delivery]] = Array(repeating: [], count: WorkerID.maximumCount)
    var writable: Set<Int> = []
    var requests: [Pending] = []
    var isLoadNew = false

    var isEmpty: Bool {
        supervisor.isEmpty && !isStopping && !isOrphaned && commits.isEmpty && incidents == 0
            && !hasReports && writable.isEmpty && requests.isEmpty && !isLoadNew
    }

    // Asked in each turn: a key path over the queues was a tenth of the whole simulation.
    private var hasReports: Bool {
        for index in reports.indices where !reports[index].isEmpty { return true }
        return false
    }
}

/// How busy the machine is.
struct LoadModel {
    var present = MachineLoad.notYet
    var stormUntil = Span.zero
    var told = MachineLoad.notYet
}

/// What is on its way to the disk, and what ails it.
struct WriterModel {
    struct Batch {
        var token: UInt64
        var changes: [StoreChange]
        /// The latest that the wall clock was while its changes came about.
        var latest: Instant
        var result: BatchResult?
    }

    var batches: [Batch] = []
    var slowUntil = Span.zero
    var slowness = Span.zero
    var failsUntil = Span.zero
    var failure = StoreFailure.io
    var refusesNext = false
    var damaged: TaskID?
    var damagedUntil = Span.zero
    var tooLarge: Set<Int> = []
}

/// A report on its way, and what the simulation knows of it.
struct Delivery {
    var report: Report?
    var incarnation: Int
    /// It breaks the protocol where its attempt is the next in order.
    var isDeviating = false
}
