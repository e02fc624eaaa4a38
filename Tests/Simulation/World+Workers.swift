// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import SchedulerCore

extension World {
    /// The supervisor launches a worker.
    mutating func launch(_ index: Int) {
        guard workers[index].life == .absent else { return }
        workers[index].life = .launching
        workers[index].generation += 1
        planned.add(
            boot + 20_000 + Int64(random.int(0...200_000)),
            .launched(taskClass: index, generation: workers[index].generation))
    }

    mutating func relaunch(_ index: Int) {
        guard workers[index].life == .absent else { return }
        workers[index].life = .launching
        workers[index].generation += 1
        workers[index].backOff = min(workers[index].backOff * 2, 30_000_000)
        planned.add(
            boot + workers[index].backOff,
            .launched(taskClass: index, generation: workers[index].generation))
    }

    mutating func launched(_ index: Int, _ generation: Int) {
        guard core != nil, workers[index].generation == generation else { return }
        workers[index].life = .alive
        if workers[index].blameUntil == .max { workers[index].blameUntil = boot }
        let taskClass = Self.taskClass(index)
        deliver(.worker(taskClass, .launched(processID: UInt64(workers[index].generation))), after: 0)
        say(
            index,
            .report(
                taskClass,
                .hello(
                    processID: 1, capacity: UInt32(workers[index].capacity),
                    wallLimit: .seconds(600), layers: LayerReport(held: [], missing: []))))
    }

    /// A worker ends, with all that runs in it; what it said last may come before or after.
    mutating func die(_ index: Int, status: Int32) {
        guard core != nil, workers[index].life != .absent else { return }
        note("worker \(index) dies")
        let wasAlive = workers[index].life == .alive
        loseWorker(index)
        guard wasAlive else { return }
        planned.add(
            boot + Int64(random.int(500...20_000)),
            .exited(taskClass: index, epoch: epoch, status: status))
    }

    /// A worker's words reach the scheduler, once it runs.
    mutating func say(_ index: Int, _ event: Event) {
        let generation = workers[index].generation
        if boot < workers[index].frozenUntil {
            planned.add(
                workers[index].frozenUntil + 100,
                .thaw(taskClass: index, generation: generation, event))
            return
        }
        // Later than what it said before: the pipe keeps the order.
        checks.pipe[index] = max(checks.pipe[index], boot + Int64(random.int(50...800)))
        planned.add(checks.pipe[index], .deliver(epoch: epoch, event))
    }

    /// An order leaves for a worker, or finds no room.
    mutating func send(_ order: Order, _ index: Int) -> Event? {
        let taskClass = Self.taskClass(index)
        if boot < workers[index].fullUntil || workers[index].life != .alive
            || workers[index].owesWritable
        {
            workers[index].owesWritable = true
            let at = max(workers[index].fullUntil, boot + 10_000)
            planned.add(at, .writable(taskClass: index))
            if workers[index].fullUntil < at { workers[index].fullUntil = at }
            return .unsent(taskClass, order)
        }
        if case .ping = order {} else { note("order to \(index): \(order)") }
        switch order {
        case .ping(let nonce): say(index, .report(taskClass, .pong(nonce: nonce)))
        case .run(let run) where run.taskType == taskClass.canaryType: runCanary(run, index)
        case .run(let run): begin(run, index)
        case .cancel(let key, let reason, let grace): cancel(index, key.value, reason, grace)
        }
        return nil
    }

    private mutating func runCanary(_ order: AttemptOrder, _ index: Int) {
        let taskClass = Self.taskClass(index)
        let key = order.attempt
        let isOpen = workers[index].isCanaryOpen
        workers[index].isCanaryOpen = false
        if isOpen { planned.add(boot + 3_600_000_000, .attemptEnds(taskClass: index, generation: workers[index].generation, key: .max, .code(0))) }
        let line = CanaryReport(open: isOpen ? [.readShadow] : []).line
        say(
            index,
            .report(
                taskClass,
                .started(
                    attempt: key, sequence: 0, layers: LayerReport(held: [], missing: []),
                    at: time.wall)))
        let generation = workers[index].generation
        let report = Report.log(
            attempt: key, sequence: 1, stream: .info, at: time.wall, line: line)
        let at = max(boot, workers[index].frozenUntil)
        planned.add(
            at + 2000, .thaw(taskClass: index, generation: generation, .report(taskClass, report)))
        let denied = AttemptExit.caused(
            .deniedSyscall(name: "unshare", number: 272, arguments: []))
        planned.add(
            at + 4000,
            .thaw(
                taskClass: index, generation: generation,
                .report(taskClass, .finished(attempt: key, sequence: 2, exit: denied))))
    }

    private mutating func begin(_ order: AttemptOrder, _ index: Int) {
        checkOrder(order, index)
        var attempt = WorkerModel.Attempt(order: order, startedAt: boot)
        attempt.isDeaf = workers[index].isNextDeaf
        workers[index].isNextDeaf = false
        if attempt.isDeaf {
            workers[index].blameUntil = .max
        }
        workers[index].attempts[order.attempt.value] = attempt
        checkPlaces(order, index)
        planned.add(
            max(boot, workers[index].frozenUntil) + Int64(random.int(500...5000)),
            .attemptStarts(
                taskClass: index, generation: workers[index].generation,
                key: order.attempt.value))
    }

    mutating func starts(_ index: Int, _ generation: Int, _ key: UInt64) {
        guard workers[index].generation == generation,
            let attempt = workers[index].attempts[key]
        else { return }
        report(index, key) { sequence, at in
            .started(
                attempt: AttemptKey(key), sequence: sequence,
                layers: LayerReport(held: ["seccomp"], missing: []), at: at)
        }
        if random.chance(200) {
            report(index, key) { sequence, at in
                .log(
                    attempt: AttemptKey(key), sequence: sequence, stream: .standardOutput, at: at,
                    line: "line")
            }
        }
        guard !attempt.isDeaf else { return }
        let limit = attempt.order.timeout.wholeMicroseconds
        var length = random.skewed(1000...(isQuiet ? 30_000_000 : 1_500_000_000))
        var exit: AttemptExit
        switch random.int(0...99) {
        case 0..<75: exit = .code(0, reply: .succeeded(result: Array("1".utf8)))
        case 75..<83: exit = .code(1)
        case 83..<88: exit = .code(75)
        case 88..<92: exit = .code(78)
        case 92..<95: exit = .caused(.outOfMemory)
        case 95..<97:
            exit = .caused(.layerRefused(LayerFailure(layer: "cgroup", errno: 12, detail: "")))
        default:
            exit = AttemptExit(
                reply: .none, exit: .signaled(signal: 11), cause: nil, usage: .none)
        }
        if length > limit {
            length = limit + Int64(random.int(0...Int(attempt.order.grace.wholeMicroseconds)))
            exit = .caused(.timedOut)
        }
        planned.add(
            boot + length,
            .attemptEnds(taskClass: index, generation: generation, key: key, exit))
    }

    mutating func ends(_ index: Int, _ generation: Int, _ key: UInt64, _ exit: AttemptExit) {
        guard workers[index].generation == generation else { return }
        if key == .max { return die(index, status: 9) }
        guard workers[index].attempts[key] != nil else { return }
        if boot < workers[index].frozenUntil {
            planned.add(
                workers[index].frozenUntil + 500,
                .attemptEnds(taskClass: index, generation: generation, key: key, exit))
            return
        }
        report(index, key) { sequence, _ in
            .finished(attempt: AttemptKey(key), sequence: sequence, exit: exit)
        }
        workers[index].attempts[key] = nil
    }

    private mutating func cancel(
        _ index: Int, _ key: UInt64, _ reason: CancelReason, _ grace: Duration
    ) {
        guard let attempt = workers[index].attempts[key], !attempt.isDeaf else { return }
        workers[index].attempts[key]?.isCancelled = true
        let exit: AttemptExit =
            random.chance(100)
            ? AttemptExit(
                reply: .succeeded(result: Array("1".utf8)), exit: .exited(code: 0),
                cause: .cancelled(reason), usage: .none) : .caused(.cancelled(reason))
        planned.add(
            max(boot, workers[index].frozenUntil)
                + Int64(random.int(0...max(1, Int(grace.wholeMicroseconds)))),
            .attemptEnds(
                taskClass: index, generation: workers[index].generation, key: key, exit))
    }

    /// Reports on an attempt, in its order: the pipe keeps it.
    private mutating func report(
        _ index: Int, _ key: UInt64, _ make: (UInt32, Instant) -> Report
    ) {
        guard let attempt = workers[index].attempts[key] else { return }
        workers[index].attempts[key]?.sequence += 1
        say(index, .report(Self.taskClass(index), make(attempt.sequence, time.wall)))
    }

    /// A worker that breaks a rule is to be killed for it.
    mutating func sendHostile(_ index: Int, _ kind: HostileReport) {
        guard let core, workers[index].life == .alive, boot >= workers[index].frozenUntil,
            core.worker(Self.taskClass(index)).state == .ready,
            core.worker(Self.taskClass(index)).processID == UInt64(workers[index].generation)
        else { return }
        let taskClass = Self.taskClass(index)
        let own = workers[index].attempts.keys.sorted().first
        let attempt = own.flatMap { workers[index].attempts[$0] }
        let event: Event
        func progress(_ key: UInt64, _ sequence: UInt32) -> Event {
            .report(
                taskClass,
                .progress(
                    attempt: AttemptKey(key), sequence: sequence, fraction: nil, message: ""))
        }
        switch kind {
        case .doubled:
            guard let own, let attempt, attempt.sequence > 0 else { return }
            event = progress(own, attempt.sequence - 1)
        case .skipped:
            guard let own, let attempt else { return }
            event = progress(own, attempt.sequence + 3)
        case .foreign:
            let other = workers.indices.first { $0 != index && !workers[$0].attempts.isEmpty }
            guard let other, let key = workers[other].attempts.keys.sorted().first,
                let sequence = workers[other].attempts[key]?.sequence
            else { return }
            event = progress(key, sequence)
        case .unknown: event = progress(1 << 40, 0)
        case .malformed: event = .malformedReport(taskClass, "nonsense")
        }
        workers[index].blameUntil = max(workers[index].blameUntil, boot + 3_600_000_000)
        checks.pipe[index] = max(checks.pipe[index], boot) + 1000
        planned.add(checks.pipe[index], .deliver(epoch: epoch, event))
        checks.expectedKills[index] = (workers[index].generation, checks.pipe[index] + 5_000_000)
    }
}
