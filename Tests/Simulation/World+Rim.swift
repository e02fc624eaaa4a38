// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import SchedulerCore

/// The scheduler's rim: poll, handle, perform, as `AicoScheduler` does it.
extension World {
    mutating func startScheduler(isBoot: Bool) {
        guard !isUp else { return }
        if isBoot, boots > 0 || now > .zero {
            bootedAt = now
        }
        if isBoot { boots += 1 }
        life += 1
        isUp = true
        inbox = Inbox()
        echoes = []
        crashAfter = nil
        runs = [:]
        suspendedSeen = suspended
        isClockSet = false
        load.told = .notYet
        var settings = scenario.settings(settingsVariant)
        var random = Randomness(scenario.seed, 4, UInt64(life))
        settings.seed = (random.next(), random.next())
        let seed = (scenario.seed, UInt64(settingsVariant))
        for index in workers.indices {
            workers[index].isPipeBlocked = false
            // Both are the profile's, and so the class's.
            let taskClass = workers[index].workerID.taskClass
            var random = Randomness(seed.0, 3, seed.1, UInt64(taskClass.rawValue))
            workers[index].capacity = 1 + random.below(4)
            workers[index].wallLimit = random.percent(30) ? .seconds(200) : nil
        }
        note("START life \(life) settings \(settingsVariant) \(bootID)")
        core = SchedulerCore(settings: settings, at: time)
        #if AICO_MUTANTS
            core.mutant = mutant
        #endif
        judge.begin(life: life, at: now, bootID: bootID, bootedAt: bootedAt)
        if let real { open(real) }
        let facts = (real?.image ?? StoreImage(store)).startFacts(
            bootID: bootID,
            builtIns: scenario.builtIns.compactMap { number in
                let spec = scenario.specs[number]
                guard store.rows[spec.name]?.isDeleted != true else { return nil }
                return spec.definition(createdAt: wall, at: wall)
            }, table: { scenario.table(of: $0) })
        feed(.start(facts))
        guard isUp else { return }
        var dice = dice(.load)
        let isSlow = dice.percent(10)
        schedule(
            .load(life: life),
            in: isSlow ? dice.time(.seconds(1), .seconds(12)) : .milliseconds(100))
        load.present = .notYet
        turn()
    }

    /// The next life of the scheduler, or of the machine.
    mutating func startAgain(after down: Span, settings: Int, isReboot: Bool) {
        settingsVariant = settings
        schedule(.startScheduler(boot: isReboot), in: down)
    }

    /// The process is gone; what it had not given away is lost.
    mutating func die() {
        note("CRASH")
        isUp = false
        wakeAt = .never
        var (down, isKept, settings, isReboot) = (Span.seconds(1), false, settingsVariant, false)
        var isClean = false
        switch crash {
        case .crash(_, let time, let isBatchKept, let variant, let reboots):
            (down, isKept, settings, isReboot) = (time, isBatchKept, variant, reboots)
        case .stop(let time, let variant): (down, settings, isClean) = (time, variant, true)
        case .supervisorLost(let time): down = time
        default: break
        }
        down = min(down, max(.seconds(5), leftOfFaults))
        crash = nil
        crashAfter = nil
        // All or nothing: the transaction was on the disk, or is rolled back.
        if let real {
            crash(real, isKept: isKept, isReboot: isReboot, isClean: isClean)
        } else {
            for batch in writer.batches where batch.result == nil && isKept {
                _ = apply(batch.changes, batch.latest)
            }
        }
        if judge.isDamaged {
            noteStrays()
            // The next scheduler cannot know of the boot.
            if core.unnotedBoot != nil { judge.rebootCount = [:] }
        }
        writer.batches = []
        for index in workers.indices {
            workers[index].isAlive = false
            workers[index].isLaunching = false
            workers[index].swapped = nil
            workers[index].deaths = 0
            for key in workers[index].running { runs[key]?.isOver = true }
            workers[index].running = []
        }
        judge.schedulerEnded()
        startAgain(after: down, settings: settings, isReboot: isReboot)
    }

    private mutating func noteStrays() {
        let open = store.running.compactMap { store.attempts[$0]?.execution } + store.waiting
        judge.strays.formUnion(open.filter { core.executions[$0] == nil })
    }

    // MARK: - A turn

    mutating func turn() {
        var dice = dice(.loop, 1)
        let began = time.boot
        judge.turns += 1
        if now < judge.secondBegun + .seconds(1) {
            judge.turnsOfSecond += 1
            if judge.turnsOfSecond > 50_000 {
                return judge.violate(.spin, "50000 turns in a second")
            }
        } else {
            judge.secondBegun = now
            judge.turnsOfSecond = 0
        }
        let most = dice.percent(70) ? 64 : 1 + dice.below(3)
        takeNews(most)
        takeReports(most)
        for value in inbox.writable.sorted() where isUp {
            workers[value].isPipeBlocked = false
            feed(.writable(scenario.workers[value]))
        }
        inbox.writable = []
        for _ in 0..<most where isUp {
            guard !inbox.requests.isEmpty else { break }
            takeRequest()
        }
        guard isUp else { return }
        if inbox.isLoadNew {
            inbox.isLoadNew = false
            if load.present != load.told {
                load.told = load.present
                feed(.load(load.present))
            }
        }
        guard isUp else { return }
        let unread = scenario.workers.filter { !inbox.reports[$0.number].isEmpty }
        feed(.settle(Heard(until: began, unread: Set(unread))))
        guard isUp else { return }
        judgeTurn()
        sleep()
    }

    private mutating func takeNews(_ most: Int) {
        let slept = suspended - suspendedSeen
        if slept > .seconds(1) {
            suspendedSeen = suspended
            feed(.suspended(slept.duration))
        }
        if inbox.isOrphaned, isUp {
            inbox.isOrphaned = false
            feed(.supervisorLost)
        }
        if inbox.isStopping, isUp {
            inbox.isStopping = false
            judge.stopBegun = now
            feed(.stop)
        }
        while !inbox.supervisor.isEmpty, isUp {
            let (workerID, news, incarnation) = inbox.supervisor.removeFirst()
            let index = workerID.number
            if case .exited = news {
                // What it reported before its end still counts.
                while !inbox.reports[index].isEmpty, isUp { takeReport(workerID) }
                workers[index].isPipeBlocked = false
                inbox.writable.remove(workerID.number)
                judge.exitsTold[index] = incarnation
            }
            if case .launched = news { judge.launchesTold[index] = incarnation }
            if isUp { feed(.worker(workerID, news)) }
        }
        if isClockSet, isUp {
            isClockSet = false
            feed(.clockSet)
        }
        while !inbox.commits.isEmpty, isUp {
            let (token, result) = inbox.commits.removeFirst()
            judge.hasCommitted = true
            if case .failure(let trouble) = result {
                faults += 1
                if trouble.kind == .damaged { judge.isDamaged = true }
            }
            feed(.committed(token: token, result))
        }
        while inbox.incidents > 0, isUp {
            inbox.incidents -= 1
            feed(.audit(actor: "viewer", action: "bus.refused", subject: "", detail: "no"))
        }
    }

    private mutating func takeReports(_ most: Int) {
        for workerID in scenario.workers {
            for _ in 0..<most where isUp {
                guard !inbox.reports[workerID.number].isEmpty else { break }
                takeReport(workerID)
            }
        }
    }

    private mutating func takeReport(_ workerID: WorkerID) {
        let index = workerID.number
        let delivery = inbox.reports[index].removeFirst()
        let before = core.worker(workerID).state
        guard let report = delivery.report else {
            feed(.malformedReport(workerID, "sent what is no report"))
            if isUp { judgeReport(delivery, before, workerID) }
            return
        }
        judge.present = (report.key, delivery)
        feed(.report(workerID, report))
        judge.present = nil
        if isUp { judgeReport(delivery, before, workerID) }
    }

    private mutating func sleep() {
        let wake = core.wake
        var at = now + .seconds(30)
        if let due = wake.wall { at = min(at, now + (due - wall).span) }
        if let due = wake.boot { at = min(at, bootedAt + due.span) }
        if core.isBusy || !inbox.isEmpty { at = now }
        var dice = dice(.loop, 2)
        wakeAt = max(now + Span(20), at) + Span(Int64(dice.below(900)))
        wakeAt = max(wakeAt, pausedUntil)
    }

    // MARK: - Handle and perform

    mutating func feed(_ event: Event) {
        handle(event)
        while !echoes.isEmpty, isUp { handle(echoes.removeFirst()) }
    }

    private mutating func handle(_ event: Event) {
        events += 1
        now = now + Span(Int64(events & 63))
        hash.mix(now.microseconds)
        event.mix(into: &hash)
        let time = time
        judge.handle(at: time.wall, ahead: core.settings.claimAhead)
        let actions = core.handle(event, at: time)
        note("\(event.words)")
        for action in actions {
            action.mix(into: &hash)
            note("    \(action.words)")
            perform(action)
            guard isUp else { return }
            if let left = crashAfter {
                if left == 0 { return die() }
                crashAfter = left - 1
            }
        }
    }

    private mutating func perform(_ action: Action) {
        switch action {
        case .write(let token, let changes): submit(token, changes)
        case .send(let workerID, let order): send(order, workerID)
        case .publish(let published): judgePublished(published)
        case .reply(let id, let reply): judgeReply(id, reply)
        case .launchWorker(let workerID): launch(workerID)
        case .killWorker(let workerID): kill(workerID)
        case .stopSystem:
            if judge.stopBegun == nil {
                if case .stop = crash {
                } else {
                    crash = .stop(down: .seconds(20), settings: settingsVariant)
                }
                inbox.isStopping = true
            }
        case .log, .measured: break
        case .end(let status):
            note("END \(status)")
            judgeEnd(status)
            die()
        }
    }

    private mutating func send(_ order: Order, _ workerID: WorkerID) {
        let index = workerID.number
        judgeOrder(order, workerID)
        if workers[index].isPipeBlocked || now < workers[index].pipeFullUntil {
            if !workers[index].isPipeBlocked {
                workers[index].isPipeBlocked = true
                schedule(
                    .writable(workerID, until: workers[index].pipeFullUntil),
                    at: workers[index].pipeFullUntil)
            }
            if case .run(let run) = order { judge.ordered.remove(run.attempt.value) }
            echoes.append(.unsent(workerID, order))
            return
        }
        var dice = dice(.worker, UInt64(index))
        // A dead worker's connection swallows it.
        guard workers[index].isAlive else { return }
        schedule(
            .readOrder(workerID, incarnation: workers[index].incarnation, order),
            at: max(now + Span(Int64(50 + dice.below(2000))), workers[index].lastRead))
        workers[index].lastRead = now + Span(2050)
    }

    private mutating func kill(_ workerID: WorkerID) {
        let index = workerID.number
        if !workers[index].isSuspect, workers[index].isAlive,
            judge.launchesTold[index] == workers[index].incarnation
        {
            judge.violate(
                .healthyWorker,
                "worker \(workerID.label) is killed though it does its work: "
                    + (core.worker(workerID).why ?? ""))
        }
        guard workers[index].isAlive, !workers[index].isBeingKilled else { return }
        workers[index].isBeingKilled = true
        var dice = dice(.supervisor, UInt64(index))
        schedule(
            .killed(workerID, incarnation: workers[index].incarnation),
            in: dice.time(.milliseconds(1), .milliseconds(80)))
    }
}
