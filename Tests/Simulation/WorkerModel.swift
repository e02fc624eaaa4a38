// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import SchedulerCore

/// A class's worker and its pipes.
struct WorkerModel {
    let taskClass: TaskClass
    /// Counts its processes.
    var incarnation = 0
    var isAlive = false
    var isLaunching = false
    var isBeingKilled = false
    var capacity = 4
    var wallLimit: Duration?
    /// Attempts that it has, the canary's apart.
    var running: [UInt64] = []
    /// Deaths in a row: the supervisor waits longer each time.
    var deaths = 0
    var launchedAt = Span.zero
    var hangsUntil = Span.zero
    /// Something was done to it, or it to others, for which it may be killed.
    var isSuspect = false
    var hostility: Hostility?
    var forgetsNext = false
    var canaryFault: CanaryFault?
    var launchFailures = 0
    var reportDelay = Span.zero
    var reportsLateUntil = Span.zero
    /// When the last report comes in: none overtakes another.
    var lastArrival = Span.zero
    var swapped: Delivery?
    var pipeFullUntil = Span.zero
    /// The rim's `isFull`: an order found no room, later ones wait behind it.
    var isPipeBlocked = false
    /// Orders are read in the order in which they left.
    var lastRead = Span.zero

    init(_ taskClass: TaskClass) { self.taskClass = taskClass }
}

/// An attempt in a worker, as it is: what the core believes of it is checked against this.
struct RunModel {
    enum Step { case start, line, progress, end }

    var order: AttemptOrder
    var taskClass: TaskClass
    var incarnation: Int
    var isCanary: Bool
    var sequence: UInt32 = 0
    /// Its processes are gone.
    var isOver = false
    /// How it ended by itself; nil where its worker went.
    var exit: AttemptExit?
    /// Whether it started under a policy that lets it run beside another.
    var mayOverlap = false
    /// Its worker lost it: it never ends.
    var isForgotten = false
    var cancelled: CancelReason?
    /// Its present end; a cancel moves it.
    var generation = 0
    var endsAt = Span.never
    var plannedExit: AttemptExit
    var ignoresCancel = false
    /// A report of it was left out: the next one is out of order.
    var isMissingReport = false
}

extension World {
    mutating func launch(_ taskClass: TaskClass) {
        let index = Int(taskClass.rawValue)
        guard !workers[index].isAlive, !workers[index].isLaunching else { return }
        workers[index].isLaunching = true
        var dice = dice(.supervisor, UInt64(index))
        if workers[index].launchFailures > 0 {
            workers[index].launchFailures -= 1
            workers[index].isLaunching = false
            workers[index].deaths += 1
            schedule(
                .workerNews(life: life, taskClass, .launchFailed(errno: 12), incarnation: -1),
                in: dice.time(.milliseconds(1), .milliseconds(50)))
            schedule(.relaunch(life: life, taskClass), in: backoff(taskClass))
            return
        }
        schedule(
            .launched(taskClass, incarnation: workers[index].incarnation + 1),
            in: dice.time(.milliseconds(2), .milliseconds(200)))
    }

    private func backoff(_ taskClass: TaskClass) -> Span {
        let deaths = min(8, workers[Int(taskClass.rawValue)].deaths)
        return min(.seconds(30), .milliseconds(100 << Int64(deaths)))
    }

    mutating func launched(_ taskClass: TaskClass, _ incarnation: Int) {
        let index = Int(taskClass.rawValue)
        guard workers[index].isLaunching, workers[index].incarnation + 1 == incarnation, isUp else {
            return
        }
        var dice = dice(.supervisor, UInt64(index))
        workers[index].isLaunching = false
        workers[index].incarnation = incarnation
        workers[index].isAlive = true
        workers[index].isBeingKilled = false
        workers[index].launchedAt = now
        workers[index].running = []
        workers[index].hangsUntil = .zero
        workers[index].isSuspect =
            workers[index].canaryFault != nil || now < workers[index].reportsLateUntil
            || now < workers[index].pipeFullUntil
        schedule(
            .workerNews(
                life: life, taskClass, .launched(processID: UInt64(1000 + incarnation)),
                incarnation: incarnation), in: dice.time(.zero, .milliseconds(60)))
        // It greets before it reads its first order.
        let greets = now + dice.time(.zero, .milliseconds(120))
        workers[index].hangsUntil = greets
        schedule(.hello(taskClass, incarnation: incarnation), at: greets)
    }

    mutating func hello(_ taskClass: TaskClass, _ incarnation: Int) {
        let index = Int(taskClass.rawValue)
        guard workers[index].isAlive, workers[index].incarnation == incarnation else { return }
        report(
            .hello(
                processID: UInt32(1000 + incarnation), capacity: UInt32(workers[index].capacity),
                wallLimit: workers[index].wallLimit,
                layers: LayerReport(held: ["seccomp"], missing: [])), taskClass)
    }

    /// The worker's process ends, and all that it ran with it.
    mutating func workerEnds(
        _ taskClass: TaskClass, _ incarnation: Int, status: Int32, words: String
    ) {
        let index = Int(taskClass.rawValue)
        guard workers[index].isAlive, workers[index].incarnation == incarnation else { return }
        var dice = dice(.supervisor, UInt64(index))
        note("WORKER \(taskClass.name) ends")
        workers[index].isAlive = false
        workers[index].swapped = nil
        for key in workers[index].running { runs[key]?.isOver = true }
        workers[index].running = []
        workers[index].deaths =
            now - workers[index].launchedAt > .minutes(1) ? 1 : workers[index].deaths + 1
        schedule(
            .workerNews(
                life: life, taskClass, .exited(status: status, words: words),
                incarnation: incarnation), in: dice.time(.milliseconds(1), .milliseconds(150)))
        schedule(.relaunch(life: life, taskClass), in: backoff(taskClass) + .milliseconds(150))
    }

    // MARK: - Orders

    mutating func readOrder(_ order: Order, _ taskClass: TaskClass, _ incarnation: Int) {
        let index = Int(taskClass.rawValue)
        guard workers[index].isAlive, workers[index].incarnation == incarnation else { return }
        if now < workers[index].hangsUntil {
            schedule(
                .readOrder(taskClass, incarnation: incarnation, order),
                at: workers[index].hangsUntil)
            return
        }
        switch order {
        case .ping(let nonce): report(.pong(nonce: nonce), taskClass)
        case .cancel(let attempt, let reason, let grace): cancel(attempt.value, reason, grace)
        case .run(let order): begin(order, taskClass)
        }
    }

    private mutating func begin(_ order: AttemptOrder, _ taskClass: TaskClass) {
        let index = Int(taskClass.rawValue)
        let key = order.attempt.value
        let isCanary = order.taskType == taskClass.canaryType
        var dice = Randomness(
            scenario.seed, World.Purpose.run.rawValue,
            UInt64(bitPattern: order.occurrence.microseconds),
            UInt64(order.attemptNumber),
            order.taskID.utf8.reduce(7 as UInt64) { $0 &* 31 &+ UInt64($1) })
        if runs[key] != nil {
            return judge.violate(.orders, "attempt \(key) was ordered twice")
        }
        var run = RunModel(
            order: order, taskClass: taskClass, incarnation: workers[index].incarnation,
            isCanary: isCanary, plannedExit: Self.exit(.none, .exited(code: 0), nil))
        // Canaries of two schedulers have one key.
        run.generation = life << 20
        if isCanary {
            startCanary(&run, taskClass, &dice)
            return
        }
        judgeBegin(order, taskClass)
        workers[index].running.append(key)
        var length = dice.time(.milliseconds(50), .seconds(isQuiet(now) ? 2 : 10))
        run.plannedExit = draw(&dice)
        let timeout = order.timeout.span
        if !isQuiet(now) {
            if dice.percent(12) { length = dice.time(.seconds(10), .minutes(3)) }
            if dice.percent(4) { length = timeout + .hours(1) }
        }
        if length > timeout {
            length = timeout + (dice.percent(50) ? order.grace.span : .zero)
            run.plannedExit = Self.exit(.none, .signaled(signal: 9), .timedOut)
        }
        run.ignoresCancel = dice.percent(30)
        if workers[index].forgetsNext {
            workers[index].forgetsNext = false
            workers[index].isSuspect = true
            run.isForgotten = true
        }
        runs[key] = run
        guard !run.isForgotten else { return }
        let begin = now + dice.time(.milliseconds(5), .milliseconds(90))
        if run.plannedExit.exit != .notStarted {
            schedule(.step(attempt: key, .start, generation: run.generation), at: begin)
            for _ in 0..<dice.below(3) {
                schedule(
                    .step(attempt: key, .line, generation: run.generation),
                    at: begin + dice.time(.zero, length))
            }
            if dice.percent(20) {
                schedule(
                    .step(attempt: key, .progress, generation: run.generation),
                    at: begin + dice.time(.zero, length))
            }
        } else {
            length = .milliseconds(1)
        }
        moveEnd(of: key, to: begin + length)
    }

    private mutating func startCanary(
        _ run: inout RunModel, _ taskClass: TaskClass, _ dice: inout Randomness
    ) {
        let index = Int(taskClass.rawValue)
        let key = run.order.attempt.value
        run.plannedExit = Self.exit(
            .none, .signaled(signal: 31),
            .deniedSyscall(name: CanaryRules.lastCall, number: 272, arguments: []))
        let fault = workers[index].canaryFault
        workers[index].canaryFault = nil
        if fault != nil { workers[index].isSuspect = true }
        if fault == .survives { run.plannedExit = Self.exit(.none, .exited(code: 0), nil) }
        if fault == .open { run.cancelled = .requested }
        runs[key] = run
        schedule(.step(attempt: key, .start, generation: run.generation), in: .milliseconds(20))
        schedule(.step(attempt: key, .line, generation: run.generation), in: .milliseconds(40))
        if fault != .never {
            moveEnd(of: key, to: now + dice.time(.milliseconds(60), .milliseconds(300)))
        }
    }

    private mutating func moveEnd(of key: UInt64, to time: Span) {
        runs[key]?.generation += 1
        runs[key]?.endsAt = time
        schedule(.step(attempt: key, .end, generation: runs[key]?.generation ?? 0), at: time)
    }

    private mutating func cancel(_ key: UInt64, _ reason: CancelReason, _ grace: Duration) {
        guard let run = runs[key], !run.isOver, !run.isForgotten else { return }
        if run.cancelled == nil { runs[key]?.cancelled = reason }
        var dice = dice(.run, key)
        var end = now + dice.time(.milliseconds(1), .milliseconds(200))
        if run.ignoresCancel { end = now + grace.span + .milliseconds(5) }
        guard end < run.endsAt else { return }
        let didItsWork = !run.ignoresCancel && dice.percent(15)
        runs[key]?.plannedExit = Self.exit(
            didItsWork ? .succeeded(result: Array("{}".utf8)) : .none,
            didItsWork ? .exited(code: 0) : .signaled(signal: run.ignoresCancel ? 9 : 15),
            .cancelled(reason))
        moveEnd(of: key, to: end)
    }

    mutating func take(_ step: RunModel.Step, of key: UInt64, _ generation: Int) {
        guard let run = runs[key], !run.isOver, run.generation >> 20 == generation >> 20 else {
            return
        }
        let index = Int(run.taskClass.rawValue)
        guard workers[index].isAlive, workers[index].incarnation == run.incarnation else { return }
        if now < workers[index].hangsUntil {
            schedule(
                .step(attempt: key, step, generation: generation), at: workers[index].hangsUntil)
            return
        }
        let attempt = run.order.attempt
        let sequence = run.sequence
        switch step {
        case .start:
            report(
                .started(
                    attempt: attempt, sequence: sequence,
                    layers: LayerReport(held: ["seccomp"], missing: []), at: wall), run.taskClass)
        case .line:
            let isOpen = run.isCanary && run.cancelled != nil
            let line =
                run.isCanary ? CanaryReport(open: isOpen ? [.readShadow] : []).line : "a line"
            report(
                .log(attempt: attempt, sequence: sequence, stream: .info, at: wall, line: line),
                run.taskClass)
        case .progress:
            report(
                .progress(attempt: attempt, sequence: sequence, fraction: 0.5, message: ""),
                run.taskClass)
        case .end:
            guard run.generation == generation else { return }
            runs[key]?.isOver = true
            runs[key]?.exit = run.plannedExit
            workers[index].running.removeAll { $0 == key }
            report(
                .finished(attempt: attempt, sequence: sequence, exit: run.plannedExit),
                run.taskClass)
        }
        runs[key]?.sequence += 1
    }

    static func exit(_ reply: TaskReply, _ exit: ProcessExit, _ cause: EndCause?) -> AttemptExit {
        AttemptExit(reply: reply, exit: exit, cause: cause, usage: .none)
    }

    private func draw(_ dice: inout Randomness) -> AttemptExit {
        let good = Self.exit(.succeeded(result: Array("{\"ok\":true}".utf8)), .exited(code: 0), nil)
        if isQuiet(now) { return good }
        switch dice.below(100) {
        case 0..<70: return good
        case 70..<78:
            return Self.exit(.failed(permanent: false, message: "not now"), .exited(code: 1), nil)
        case 78..<82:
            return Self.exit(.failed(permanent: true, message: "never"), .exited(code: 1), nil)
        case 82..<85: return Self.exit(.none, .exited(code: 75), nil)
        case 85..<87: return Self.exit(.none, .exited(code: 78), nil)
        case 87..<90: return Self.exit(.none, .signaled(signal: 11), nil)
        case 90..<93: return Self.exit(.none, .notStarted, nil)
        case 93..<95:
            return Self.exit(
                .none, .notStarted,
                .layerRefused(LayerFailure(layer: "cgroup", errno: dice.pick([11, 1]), detail: "")))
        case 95..<97: return Self.exit(.none, .signaled(signal: 9), .outOfMemory)
        case 97..<98:
            return Self.exit(
                .none, .signaled(signal: 31),
                .deniedSyscall(name: "mount", number: 165, arguments: []))
        default: return Self.exit(.succeeded(result: Array("{".utf8)), .exited(code: 0), nil)
        }
    }

    // MARK: - Reports

    /// Sends a report on its way, with what the worker's nature makes of it.
    mutating func report(_ report: Report, _ taskClass: TaskClass) {
        let index = Int(taskClass.rawValue)
        let incarnation = workers[index].incarnation
        var delivery = Delivery(report: report, incarnation: incarnation)
        if let held = workers[index].swapped {
            workers[index].swapped = nil
            delivery.isDeviating = report.key == held.report?.key
            var late = held
            late.isDeviating = delivery.isDeviating
            deliver(delivery, taskClass)
            return deliver(late, taskClass)
        }
        if let key = report.key, runs[key]?.isMissingReport == true { delivery.isDeviating = true }
        guard let hostility = workers[index].hostility, let key = report.key,
            runs[key]?.isCanary != true
        else { return deliver(delivery, taskClass) }
        workers[index].hostility = nil
        workers[index].isSuspect = true
        note("HOSTILE \(taskClass.name) \(hostility)")
        switch hostility {
        case .double:
            deliver(delivery, taskClass)
            delivery.isDeviating = true
            deliver(delivery, taskClass)
        case .skip:
            if case .finished = report { return }
            runs[key]?.isMissingReport = true
        case .swap: workers[index].swapped = delivery
        case .malformed:
            deliver(Delivery(report: nil, incarnation: incarnation, isDeviating: true), taskClass)
        case .foreign:
            deliver(delivery, taskClass)
            let others = runs.keys.sorted().filter {
                runs[$0]?.isOver == false && runs[$0]?.taskClass != taskClass
            }
            let victim = others.first ?? key &+ 1_000_000
            deliver(
                Delivery(
                    report: .finished(
                        attempt: AttemptKey(victim), sequence: runs[victim]?.sequence ?? 0,
                        exit: Self.exit(
                            .succeeded(result: Array("\"forged\"".utf8)), .exited(code: 0), nil)),
                    incarnation: incarnation, isDeviating: true), taskClass)
        }
    }

    private mutating func deliver(_ delivery: Delivery, _ taskClass: TaskClass) {
        let index = Int(taskClass.rawValue)
        var dice = dice(.reports, order)
        var delay = Span(Int64(100 + dice.below(4000)))
        if dice.percent(3) { delay = delay + dice.time(.zero, .milliseconds(300)) }
        if now < workers[index].reportsLateUntil { delay = delay + workers[index].reportDelay }
        let at = max(now + delay, workers[index].lastArrival)
        workers[index].lastArrival = at
        schedule(.report(life: life, taskClass, delivery), at: at)
    }
}

extension Report {
    /// The attempt that it is about.
    var key: UInt64? {
        switch self {
        case .hello, .pong: nil
        case .started(let key, _, _, _), .progress(let key, _, _, _), .log(let key, _, _, _, _),
            .finished(let key, _, _):
            key.value
        }
    }
}
