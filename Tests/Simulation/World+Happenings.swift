// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import HeapModule
import SchedulerCore

extension World {
    mutating func happen(_ happening: Happening, _ inputs: [Int: TimedInput]) {
        switch happening {
        case .input(let index):
            // Nothing is done to a machine that sleeps.
            guard let timed = inputs[index], timed.at + .seconds(1) > now, !isQuiet(now) else {
                return
            }
            let input = timed.input
            note("INPUT #\(index) \(input)")
            if input.isFault { faults += 1 }
            hash.mix(index)
            inject(input, index)
        case .quiet(let index): beginQuiet(index)
        case .crashAnyway(let number):
            if isUp, crashAfter != nil, crashNumber == number { die() }
        case .startScheduler(let isBoot): startScheduler(isBoot: isBoot)
        case .write(let life, let token): commit(life, token)
        case .answer(let life, let token):
            guard life == self.life, isUp,
                let index = writer.batches.firstIndex(where: { $0.token == token })
            else { return }
            let batch = writer.batches.remove(at: index)
            inbox.commits.append((token, batch.result ?? .success([])))
            poke()
        case .launched(let workerID, let incarnation): launched(workerID, incarnation)
        case .hello(let workerID, let incarnation): hello(workerID, incarnation)
        case .killed(let workerID, let incarnation):
            workerEnds(workerID, incarnation, status: 9, words: "")
        case .workerNews(let life, let workerID, let news, let incarnation):
            guard life == self.life, isUp else { return }
            inbox.supervisor.append((workerID, news, incarnation))
            poke()
        case .relaunch(let life, let workerID):
            if life == self.life, isUp { launch(workerID) }
        case .readOrder(let workerID, let incarnation, let order):
            readOrder(order, workerID, incarnation)
        case .step(let attempt, let step, let generation): take(step, of: attempt, generation)
        case .report(let life, let workerID, let delivery):
            guard life == self.life, isUp else { return }
            inbox.reports[workerID.number].append(delivery)
            poke()
        case .writable(let workerID, let until):
            let index = workerID.number
            guard workers[index].pipeFullUntil == until, isUp else { return }
            if workers[index].isPipeBlocked {
                inbox.writable.insert(workerID.number)
                poke()
            }
        case .request(let life, let id):
            guard life == self.life, isUp else { return }
            guard let asked = judge.asked[id] else { return }
            inbox.requests.append(asked.pending)
            poke()
        case .load(let life):
            guard life == self.life, isUp else { return }
            drawLoad()
        case .loadOver(let until):
            guard load.stormUntil == until else { return }
            drawLoad()
        }
    }

    // MARK: - What is done to the system

    private mutating func inject(_ input: Input, _ index: Int) {
        switch input {
        case .calls(let calls, let client):
            for (place, call) in calls.enumerated() { ask(call, from: client, place) }
        case .incidents(let count):
            inbox.incidents += isUp ? count : 0
            poke()
        case .storeSlow(let slowness, let time):
            writer.slowness = slowness
            writer.slowUntil = now + time
        case .storeFails(let failure, let time):
            writer.failure = failure
            writer.failsUntil = now + time
        case .storeRefuses: writer.refusesNext = true
        case .storeDamaged(let name, let time):
            writer.damaged = name
            writer.damagedUntil = now + time
        case .crash(let after, _, _, _, _):
            guard isUp, crashAfter == nil else { return }
            crash = input
            crashAfter = after
            crashNumber = index
            schedule(.crashAnyway(index), in: .seconds(60))
        case .stop:
            guard isUp, judge.stopBegun == nil else { return }
            crash = input
            inbox.isStopping = true
            poke()
        case .supervisorLost:
            guard isUp else { return }
            crash = input
            inbox.isOrphaned = true
            poke()
        case .workerDies(let workerID):
            let worker = workers[workerID.number]
            workerEnds(workerID, worker.incarnation, status: 11, words: "it died")
        case .workerBreaks(let workerID, let how):
            workers[workerID.number].hostility = how
        case .workerHangs(let workerID, let time):
            let index = workerID.number
            guard workers[index].isAlive else { return }
            workers[index].hangsUntil = now + time
            workers[index].isSuspect = true
        case .workerForgets(let workerID): workers[workerID.number].forgetsNext = true
        case .canary(let workerID, let fault):
            workers[workerID.number].canaryFault = fault
        case .launchFails(let workerID, let times):
            workers[workerID.number].launchFailures = times
        case .pipeFull(let workerID, let time):
            let index = workerID.number
            workers[index].pipeFullUntil = now + time
            workers[index].isSuspect = true
            schedule(.writable(workerID, until: now + time), in: time)
        case .reportsLate(let workerID, let delay, let time):
            let index = workerID.number
            workers[index].reportDelay = delay
            workers[index].reportsLateUntil = now + time
            workers[index].isSuspect = true
        case .step(let size): step(size)
        case .suspend(let time): suspend(min(time, leftOfFaults))
        case .pause(let longest):
            let time = min(longest, leftOfFaults)
            pausedUntil = now + time
            judge.excuse(time)
            if isUp { wakeAt = max(wakeAt, pausedUntil) }
        case .load(let load, let time):
            self.load.present = load
            self.load.stormUntil = now + time
            schedule(.loadOver(now + time), in: time)
            inbox.isLoadNew = isUp
            poke()
        }
    }

    /// Until nothing may go wrong any more.
    var leftOfFaults: Span {
        guard let next = scenario.quiets.first(where: { $0.end > now }) else { return .never }
        return max(.zero, next.begin - now)
    }

    private mutating func step(_ size: Span) {
        let (least, most): (Int64, Int64) = (631_152_000, 4_102_444_800)
        let new = (wall + size.duration).seconds
        guard new > least, new < most else { return }
        wallOffset += size.microseconds
        isClockSet = true
        if size < .zero { judge.stepsBack += 1 }
        if isUp { poke() }
    }

    private mutating func suspend(_ time: Span) {
        now = now + time
        suspended = suspended + time
        judge.excuse(time)
        var dice = dice(.suspend)
        if dice.percent(50) {
            // The loop comes first; what the others had to do follows.
            var entries: [Entry] = []
            while let next = queue.min, next.at < now { entries.append(queue.removeMin()) }
            var at = now + dice.time(.zero, .milliseconds(500))
            for var entry in entries {
                at = at + Span(Int64(dice.below(200_000)))
                entry.at = min(at, now + .seconds(3))
                if case .report(_, let workerID, _) = entry.happening {
                    // A pipe keeps its order: nothing said from now on comes before it.
                    workers[workerID.number].lastArrival = entry.at
                }
                queue.insert(entry)
            }
        }
        if isUp { wakeAt = now + dice.time(.zero, .milliseconds(300)) }
    }

    /// Faults end; what an administrator would mend by hand is mended.
    private mutating func beginQuiet(_ index: Int) {
        note("QUIET")
        judge.beginQuiet(scenario.quiets[index])
        writer.slowUntil = now
        writer.failsUntil = now
        writer.damagedUntil = now
        writer.refusesNext = false
        crashAfter = nil
        for workerID in scenario.workers {
            let index = workerID.number
            workers[index].hostility = nil
            workers[index].canaryFault = nil
            workers[index].launchFailures = 0
            workers[index].forgetsNext = false
            workers[index].reportsLateUntil = now
            workers[index].hangsUntil = min(workers[index].hangsUntil, now)
            if workers[index].pipeFullUntil > now {
                workers[index].pipeFullUntil = now
                schedule(.writable(workerID, until: now), in: .zero)
            }
        }
        relaunchDistrusted()
        load.stormUntil = now
        drawLoad()
    }

    /// A worker whose canary failed waits for a person.
    mutating func relaunchDistrusted() {
        guard isUp else { return }
        for workerID in scenario.workers where core.worker(workerID).state == .canaryFailed {
            let incarnation = workers[workerID.number].incarnation
            workerEnds(workerID, incarnation, status: 15, words: "")
        }
    }

    mutating func drawLoad() {
        guard now >= load.stormUntil else { return }
        var dice = dice(.load)
        let before = load.present
        if scenario.isLoadUnknowable {
            load.present = .unknowable
        } else if isQuiet(now) {
            load.present = .known(Admission.Load(cpu: 3, memory: 20))
        } else {
            let isBusy = dice.percent(25)
            load.present = .known(
                Admission.Load(
                    cpu: Double(isBusy ? 60 + dice.below(40) : dice.below(30)),
                    memory: Double(20 + dice.below(isBusy ? 75 : 40))))
        }
        if load.present != before { inbox.isLoadNew = isUp }
        poke()
        schedule(.load(life: life), in: dice.time(.minutes(2), .minutes(40)))
    }
}
