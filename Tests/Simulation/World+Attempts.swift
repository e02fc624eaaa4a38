// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import SchedulerCore

/// What a worker does with an order.
extension World {
    mutating func readOrder(_ order: Order, _ workerID: WorkerID, _ incarnation: Int) {
        let index = workerID.number
        guard workers[index].isAlive, workers[index].incarnation == incarnation else { return }
        if now < workers[index].hangsUntil {
            schedule(
                .readOrder(workerID, incarnation: incarnation, order),
                at: workers[index].hangsUntil)
            return
        }
        switch order {
        case .ping(let nonce): report(.pong(nonce: nonce), workerID)
        case .cancel(let attempt, let reason, let grace): cancel(attempt.value, reason, grace)
        case .run(let order): begin(order, workerID)
        }
    }

    private mutating func begin(_ order: AttemptOrder, _ workerID: WorkerID) {
        let index = workerID.number
        let key = order.attempt.value
        let isCanary = order.taskType == workerID.taskClass.canaryType
        var dice = Randomness(
            scenario.seed, World.Purpose.run.rawValue,
            UInt64(bitPattern: order.occurrence.microseconds),
            UInt64(order.attemptNumber),
            order.taskID.utf8.reduce(7 as UInt64) { $0 &* 31 &+ UInt64($1) })
        if runs[key] != nil {
            return judge.violate(.orders, "attempt \(key) was ordered twice")
        }
        var run = RunModel(
            order: order, workerID: workerID, incarnation: workers[index].incarnation,
            isCanary: isCanary, plannedExit: Self.exit(.none, .exited(code: 0), nil))
        // Canaries of two schedulers have one key.
        run.generation = life << 20
        if isCanary {
            startCanary(&run, workerID, &dice)
            return
        }
        judgeBegin(order, workerID)
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
        _ run: inout RunModel, _ workerID: WorkerID, _ dice: inout Randomness
    ) {
        let index = workerID.number
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
        let index = run.workerID.number
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
                    layers: LayerReport(held: ["seccomp"], missing: []), at: wall), run.workerID)
        case .line:
            let isOpen = run.isCanary && run.cancelled != nil
            let line =
                run.isCanary ? CanaryReport(open: isOpen ? [.readShadow] : []).line : "a line"
            report(
                .log(attempt: attempt, sequence: sequence, stream: .info, at: wall, line: line),
                run.workerID)
        case .progress:
            report(
                .progress(attempt: attempt, sequence: sequence, fraction: 0.5, message: ""),
                run.workerID)
        case .end:
            guard run.generation == generation else { return }
            runs[key]?.isOver = true
            runs[key]?.exit = run.plannedExit
            workers[index].running.removeAll { $0 == key }
            report(
                .finished(attempt: attempt, sequence: sequence, exit: run.plannedExit),
                run.workerID)
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
}
