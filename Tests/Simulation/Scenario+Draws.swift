// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import SchedulerCore

extension Scenario {
    mutating func create(
        _ random: inout Randomness, _ name: TaskID, at time: Span, zones: [ZoneRules]
    ) -> Call {
        let spec = draw(&random, name: name, at: time, zones: zones)
        specs.append(spec)
        return .create(spec.number)
    }

    func draw(
        _ random: inout Randomness, name: TaskID, at time: Span, zones: [ZoneRules]
    ) -> TaskSpec {
        var policies = TaskPolicies()
        policies.timeout = random.percent(50) ? .seconds(random.pick([5, 60, 400])) : nil
        policies.grace = .seconds(random.pick([0, 1, 5, 20]))
        policies.retry = RetryPolicy(
            count: random.below(4), delay: .seconds(random.pick([0, 1, 30, 300])),
            factor: random.pick([1, 2]), maximumDelay: .seconds(600),
            jitter: .seconds(random.pick([0, 10])))
        policies.misfire = random.pick(MisfirePolicy.allCases)
        policies.catchUpWindow = .seconds(random.pick([60, 600, 3600, 86400]))
        policies.overlap = random.pick(OverlapPolicy.allCases)
        policies.jitter = .seconds(random.pick([0, 0, 0, 10, 60, 600]))
        policies.priority = random.pick([0, 0, 5, -5])
        policies.idleOnly = random.percent(20)
        policies.maximumDefer = .seconds(random.pick([10, 600, 3600]))
        policies.onCrash = random.pick(CrashPolicy.allCases)
        policies.dst = DSTPolicy(
            gap: random.pick(DSTPolicy.Gap.allCases),
            overlap: random.pick(DSTPolicy.Overlap.allCases))
        var spec = TaskSpec(
            number: specs.count, name: name, type: type(of: name),
            schedule: schedule(&random, at: time), zone: random.pick(zones), policies: policies,
            isEnabled: !random.percent(6))
        if let changing, random.percent(40) {
            // What falls into the gap of its clock, or comes twice.
            let texts = ["30 2 * * *", "15 0,1,2,3 * * *", "0,30 1,2 * * *", "10,50 0-3 * * *"]
            spec.zone = changing
            if let schedule = try? Schedule.parse(random.pick(texts)) { spec.schedule = schedule }
        }
        return spec
    }

    private func schedule(_ random: inout Randomness, at time: Span) -> Schedule {
        let texts = [
            "* * * * *", "*/5 * * * *", "*/10 * * * *", "*/15 * * * *", "7 * * * *",
            "0 * * * *", "30 * * * *", "30 2 * * *", "15 0,1,2,3 * * *", "*/20 1-4 * * *",
            "0 0 * * *", "@hourly", "30 23 * * 0", "interval:61", "interval:300",
            "interval:1000", "interval:3600", "interval:90000", "@reboot",
        ]
        var text = random.pick(texts)
        if random.percent(8) {
            let at = startedAt + time.duration + .seconds(Int64(10 + random.below(7200)))
            text = "at:\(Instant(seconds: at.seconds).iso8601)"
        }
        if let schedule = try? Schedule.parse(text) { return schedule }
        preconditionFailure("the schedule \(text) does not parse")
    }

    /// Fills a stretch with requests and faults.
    mutating func addFaults(
        _ random: inout Randomness, from begin: Span, to end: Span, zones: [ZoneRules]
    ) {
        if random.percent(25) { addStorm(&random, from: begin, to: end, zones: zones) }
        // Some stretches are crowded, some nearly calm: rare meetings need both.
        let gap: Span = random.pick([.seconds(40), .minutes(4), .minutes(10), .minutes(30)])
        var time = begin + random.time(.seconds(5), gap)
        while time < end {
            if random.percent(4) {
                addRecreation(&random, at: time, left: end - time, zones: zones)
            } else if random.percent(55) {
                add(.calls(calls(&random, at: time, zones: zones)), at: time)
            } else {
                addFault(&random, at: time, left: end - time)
            }
            time = time + random.time(.milliseconds(1), gap + gap)
            // What meets what: some come right after each other.
            if random.percent(15) { time = time - random.time(.zero, gap) }
            if time < begin { time = begin }
        }
    }

    /// A task that runs is deleted, another takes its name, and the scheduler dies meanwhile.
    private mutating func addRecreation(
        _ random: inout Randomness, at time: Span, left: Span, zones: [ZoneRules]
    ) {
        guard left > .seconds(30) else { return }
        let name = random.pick(Self.names)
        let spec = draw(&random, name: name, at: time, zones: zones)
        specs.append(spec)
        add(.calls([.run(name)]), at: time)
        let later = time + random.time(.milliseconds(100), .seconds(8))
        add(.calls([.delete(name), .create(spec.number), .run(name)]), at: later)
        add(
            .crash(
                after: random.below(30), down: random.time(.milliseconds(100), .seconds(20)),
                isBatchKept: random.percent(50), settings: random.below(5),
                isReboot: random.percent(20)),
            at: later + random.time(.milliseconds(20), .seconds(4)))
    }

    /// Several clients send hundreds of requests about a few names in one instant, half of the
    /// times while something is wrong with the store, or before the scheduler dies.
    private mutating func addStorm(
        _ random: inout Randomness, from begin: Span, to end: Span, zones: [ZoneRules]
    ) {
        let time = begin + random.time(.seconds(30), max(.minutes(1), end - begin))
        guard time < end else { return }
        let before = time - random.time(.zero, .seconds(20))
        switch random.below(8) {
        case 0, 1:
            let slowness = random.time(.seconds(1), .seconds(40))
            add(.storeSlow(by: slowness, for: .minutes(2)), at: before)
        case 2:
            let failure = random.pick([StoreFailure.busy, .full, .io, .damaged])
            add(.storeFails(failure, for: random.time(.seconds(20), .minutes(3))), at: before)
        case 3:
            add(
                .crash(
                    after: random.below(400), down: random.time(.milliseconds(100), .seconds(20)),
                    isBatchKept: random.percent(50), settings: random.below(5), isReboot: false),
                at: time)
        default: break
        }
        let names = (0..<1 + random.below(3)).map { _ in random.pick(Self.names) }
        let clients = 2 + random.below(15)
        var left = 100 + random.below(301)
        for client in 1...clients {
            let share =
                client == clients ? left : min(left, 1 + random.below(max(1, 2 * left / clients)))
            left -= share
            let calls = (0..<share).map { _ in
                stormCall(&random, about: random.pick(names), at: time, zones: zones)
            }
            if !calls.isEmpty { add(.calls(calls, from: client), at: time) }
        }
        if random.percent(5) { add(.calls([.stop], from: clients + 1), at: time) }
    }

    /// A call of any kind but the one that ends the storm.
    private mutating func stormCall(
        _ random: inout Randomness, about name: TaskID, at time: Span, zones: [ZoneRules]
    ) -> Call {
        while true {
            let call = call(&random, about: name, at: time, zones: zones)
            if case .stop = call { continue }
            return call
        }
    }

    private mutating func calls(
        _ random: inout Randomness, at time: Span, zones: [ZoneRules]
    ) -> [Call] {
        let name = random.pick(Self.names)
        if random.percent(12) {
            // One name, at once: what must not be mixed up.
            var first = draw(&random, name: name, at: time, zones: zones)
            first.policies.overlap = random.pick(OverlapPolicy.allCases)
            specs.append(first)
            let calls: [Call] = [
                .run(name), .delete(name), .create(first.number), .run(name), .run(name),
                .delete(name), .setEnabled(name, true), .cancel(name, now: false),
            ]
            let from = random.below(3)
            return Array(calls[from..<min(calls.count, from + 2 + random.below(5))])
        }
        return (0..<(random.percent(20) ? 2 + random.below(6) : 1)).map { _ in
            call(&random, about: random.pick(Self.names), at: time, zones: zones)
        }
    }

    private mutating func call(
        _ random: inout Randomness, about name: TaskID, at time: Span, zones: [ZoneRules]
    ) -> Call {
        switch random.below(100) {
        case 0..<22: return create(&random, name, at: time, zones: zones)
        case 22..<32:
            let spec = draw(&random, name: name, at: time, zones: zones)
            specs.append(spec)
            return .update(spec.number)
        case 32..<40: return .setEnabled(name, random.percent(70))
        case 40..<50: return .delete(name)
        case 50..<72: return .run(name)
        case 72..<80: return .cancel(name, now: random.percent(30))
        case 80..<86: return .cancelExecution(random.below(8), now: random.percent(30))
        case 86..<95: return .retryLetter(random.below(6))
        case 95..<98: return .purgeLetter(random.below(6))
        case 98: return .purgeLetters
        default: return .stop
        }
    }

    private mutating func addFault(_ random: inout Randomness, at time: Span, left: Span) {
        let workerID = random.pick(workers)
        func short(_ longest: Span) -> Span { min(longest, max(.milliseconds(1), left)) }
        switch random.below(100) {
        case 0..<8:
            add(
                .storeSlow(
                    by: random.time(.milliseconds(50), .seconds(40)),
                    for: short(random.time(.seconds(1), .minutes(5)))), at: time)
        case 8..<18:
            add(
                .storeFails(
                    random.pick([.busy, .full, .io, .noMemory, .cannotOpen, .damaged, .other]),
                    for: short(random.time(.milliseconds(10), .minutes(10)))), at: time)
        case 18: add(.storeRefuses, at: time)
        case 19:
            add(
                .storeDamaged(
                    random.pick(Self.names), for: short(random.time(.seconds(1), .minutes(20)))),
                at: time)
        case 20..<36:
            let isLong = random.percent(10)
            add(
                .crash(
                    after: random.percent(50) ? random.below(6) : random.below(60),
                    down: short(
                        isLong
                            ? random.time(.minutes(10), .hours(20))
                            : random.time(.milliseconds(100), .minutes(2))),
                    isBatchKept: random.percent(50), settings: random.below(5),
                    isReboot: random.percent(20)), at: time)
        case 36..<39:
            add(
                .stop(
                    down: short(random.time(.milliseconds(100), .minutes(20))),
                    settings: random.below(5)), at: time)
        case 39: add(.supervisorLost(down: short(random.time(.seconds(1), .minutes(5)))), at: time)
        case 40..<48: add(.workerDies(workerID), at: time)
        case 48..<55: add(.workerBreaks(workerID, random.pick(Hostility.allCases)), at: time)
        case 55..<58:
            add(
                .workerHangs(workerID, for: short(random.time(.seconds(1), .minutes(3)))),
                at: time)
        case 58..<61: add(.workerForgets(workerID), at: time)
        case 61..<64: add(.canary(workerID, random.pick(CanaryFault.allCases)), at: time)
        case 64..<66: add(.launchFails(workerID, times: 1 + random.below(4)), at: time)
        case 66..<71:
            add(
                .pipeFull(workerID, for: short(random.time(.milliseconds(5), .minutes(2)))),
                at: time)
        case 71..<75:
            add(
                .reportsLate(
                    workerID, by: random.time(.milliseconds(100), .seconds(15)),
                    for: short(random.time(.seconds(10), .minutes(10)))), at: time)
        case 75..<84: add(.step(step(&random)), at: time)
        case 84..<88:
            add(
                .suspend(short(random.time(.seconds(2), random.pick([.minutes(1), .hours(9)])))),
                at: time)
        case 88..<90: add(.pause(short(random.time(.seconds(1), .minutes(2)))), at: time)
        case 90..<92: add(.incidents(1 + random.below(30)), at: time)
        default:
            let load: MachineLoad =
                random.percent(10)
                ? .unknowable
                : .known(
                    Admission.Load(
                        cpu: Double(random.below(101)), memory: Double(random.below(101))))
            add(.load(load, for: short(random.time(.seconds(5), .hours(2)))), at: time)
        }
    }

    private func step(_ random: inout Randomness) -> Span {
        let size: Span = random.pick([
            .seconds(3), .seconds(90), .minutes(61), .hours(30), .hours(24 * 365),
        ])
        let step = random.time(.milliseconds(200), size)
        return random.percent(50) ? step : .zero - step
    }
}
