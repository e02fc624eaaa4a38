// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore

extension SchedulerCore {
    /// The supervisor tells of a class's worker.
    mutating func receive(_ news: WorkerNews, of taskClass: TaskClass) {
        let index = Int(taskClass.rawValue)
        switch news {
        case .launched(let processID):
            guard workers[index].move(.launch, at: now) else { return }
            workers[index].processID = processID
            workers[index].restarts += 1
            workers[index].why = nil
            workers[index].isBlocked = false
            workers[index].returned = 0
            ping(taskClass)
            publishWorker(taskClass, "launched", nil)
        case .exited(let status, let words): exited(taskClass, status, words)
        case .launchFailed(let errno):
            workers[index].state = .absent
            workers[index].processID = nil
            workers[index].deaths += 1
            workers[index].lastEnd = "could not be launched: errno \(errno)"
            workers[index].diedAt = now.wall
            publishWorker(taskClass, "launch_failed", "errno \(errno)")
            assessHealth()
        }
    }

    private mutating func exited(_ taskClass: TaskClass, _ status: Int32, _ words: String) {
        let index = Int(taskClass.rawValue)
        let worker = workers[index]
        let isStable = worker.isReady && now.boot - worker.since.boot >= settings.stableAfter
        guard workers[index].move(.exit, at: now) else { return }
        workers[index].processID = nil
        workers[index].diedAt = now.wall
        workers[index].askedAt = nil
        workers[index].layers = []
        workers[index].closedWays = nil
        if let canary = worker.canary, canary.isSent {
            workers[index].keepFormer([canary.order.attempt])
        }
        workers[index].canary = nil
        workers[index].isBlocked = false
        workers[index].returned = 0
        workers[index].deaths = isStable ? 1 : worker.deaths + 1
        let end = WaitStatusText.words(status)
        workers[index].lastEnd = words.isEmpty ? end : "\(end): \(words)"
        // Orders that are not for an attempt were for the worker that is gone.
        workers[index].outbox.removeAll { if case .run = $0 { false } else { true } }
        for timer in [
            BootTimer.ping(taskClass), .canary(taskClass), .heartbeat(taskClass),
            .silence(taskClass),
        ] { bootTimers.set(timer, at: nil) }
        publishWorker(taskClass, "exited", workers[index].lastEnd)
        let lost = executions.values.filter {
            $0.taskClass == taskClass && $0.attempt?.isSent == true && $0.state == .running
        }
        workers[index].keepFormer(lost.compactMap { $0.attempt?.key })
        // In the order of their attempts.
        for execution in lost.sorted(by: {
            ($0.attempt?.key.value ?? 0) < ($1.attempt?.key.value ?? 0)
        }) {
            let outcome = execution.cancelled?.outcome ?? Outcome(.interrupted, .workerDied)
            finish(
                execution.id, outcome, exit: nil, message: "its worker ended under it",
                result: nil)
        }
        assessHealth()
    }

    /// Sends a ping of a new nonce.
    mutating func ping(_ taskClass: TaskClass) {
        let index = Int(taskClass.rawValue)
        workers[index].nonce &+= 1
        if !workers[index].isBlocked {
            actions.append(.send(taskClass, .ping(nonce: workers[index].nonce)))
        }
        if workers[index].state == .launched {
            bootTimers.set(.ping(taskClass), at: now.boot + settings.pingInterval)
        }
    }

    /// Pings a worker again that did not answer.
    mutating func pingAgain(_ taskClass: TaskClass) {
        guard worker(taskClass).state == .launched else { return }
        ping(taskClass)
        assessHealth()
    }

    mutating func receivePong(_ nonce: UInt64, from taskClass: TaskClass) {
        guard nonce == worker(taskClass).nonce else { return }
        switch worker(taskClass).state {
        case .launched: probe(taskClass)
        case .ready: receiveSignOfLife(taskClass)
        case .absent, .probing, .canaryFailed, .quarantined: break
        }
    }

    /// A worker that works is asked for a sign of life.
    mutating func beat(_ taskClass: TaskClass) {
        guard worker(taskClass).isReady else { return }
        bootTimers.set(.heartbeat(taskClass), at: now.boot + settings.heartbeatInterval)
        let index = Int(taskClass.rawValue)
        if workers[index].deaths > 0, now.boot - workers[index].since.boot >= settings.stableAfter {
            workers[index].deaths = 0
            assessHealth()
        }
        // One that is asked already has its time; a full pipe is no silence.
        guard bootTimers.time(of: .silence(taskClass)) == nil, !workers[index].isBlocked else {
            return
        }
        workers[index].askedAt = now.boot
        bootTimers.set(.silence(taskClass), at: now.boot + settings.silenceNoticed)
        ping(taskClass)
    }

    private mutating func receiveSignOfLife(_ taskClass: TaskClass) {
        let wasSilent = silence(of: worker(taskClass)) != nil
        bootTimers.set(.silence(taskClass), at: nil)
        workers[Int(taskClass.rawValue)].askedAt = nil
        if wasSilent { assessHealth() }
    }

    /// For how long a worker has owed a sign of life; nil where that is not worth telling.
    public func silence(of worker: Worker) -> Duration? {
        guard worker.isReady, let asked = worker.askedAt,
            now.boot - asked >= settings.silenceNoticed
        else { return nil }
        return now.boot - asked
    }

    /// A worker owes a sign of life: that is told first, and then it is killed.
    mutating func noticeSilence(_ taskClass: TaskClass) {
        guard worker(taskClass).isReady else { return }
        let killed = (worker(taskClass).askedAt ?? now.boot) + settings.heartbeatPatience
        guard now.boot >= killed else {
            bootTimers.set(.silence(taskClass), at: killed)
            return assessHealth()
        }
        let seconds = settings.heartbeatPatience.wholeMicroseconds / 1_000_000
        quarantine(taskClass, "gave no sign of life for \(seconds) s")
    }

    // MARK: - The canary

    /// Has a worker that lives run its class's canary; until that passed it takes no orders.
    private mutating func probe(_ taskClass: TaskClass) {
        let index = Int(taskClass.rawValue)
        guard workers[index].move(.pong, at: now) else { return }
        bootTimers.set(.ping(taskClass), at: nil)
        bootTimers.set(.canary(taskClass), at: now.boot + settings.canaryPatience)
        workers[index].canary = CanaryRun(
            taskClass, number: canaries, at: now, patience: settings.canaryPatience)
        canaries += 1
        sendCanary(taskClass)
    }

    mutating func sendCanary(_ taskClass: TaskClass) {
        let index = Int(taskClass.rawValue)
        guard let canary = workers[index].canary, !canary.isSent, !workers[index].isBlocked else {
            return
        }
        workers[index].canary?.isSent = true
        actions.append(.send(taskClass, .run(canary.order)))
    }

    mutating func canarySaid(_ word: CanaryRun.Word, in taskClass: TaskClass) {
        let index = Int(taskClass.rawValue)
        guard let verdict = workers[index].canary?.receive(word) else { return }
        judge(taskClass, verdict)
    }

    /// The canary's time is over.
    mutating func missCanary(_ taskClass: TaskClass) {
        guard worker(taskClass).state == .probing, let canary = worker(taskClass).canary else {
            return
        }
        judge(taskClass, canary.lateVerdict)
    }

    private mutating func judge(_ taskClass: TaskClass, _ verdict: CanaryRules.Verdict) {
        let index = Int(taskClass.rawValue)
        bootTimers.set(.canary(taskClass), at: nil)
        let time = now.boot - (workers[index].canary?.orderedAt ?? now.boot)
        workers[index].canary = nil
        switch verdict {
        case .held(let ways):
            guard workers[index].move(.pass, at: now) else { return }
            log(
                .info, "canary passed",
                [
                    "class": taskClass.name, "ways": "\(ways)",
                    "milliseconds": "\(time.wholeMicroseconds / 1000)",
                ])
            workers[index].closedWays = ways
            markReady(taskClass)
        case .failed(let why):
            guard workers[index].move(.fail, at: now) else { return }
            workers[index].why = why
            log(
                .error, "canary failed; the class takes no orders",
                ["class": taskClass.name, "why": why])
            write([audit("scheduler", "class.canary", taskClass.name, why)])
            publishWorker(taskClass, "canary_failed", why)
            assessHealth()
        }
    }

    /// A worker's sandbox was probed: it takes orders from now on.
    private mutating func markReady(_ taskClass: TaskClass) {
        needsAdmission = true
        bootTimers.set(.heartbeat(taskClass), at: now.boot + settings.heartbeatInterval)
        flushOrders(taskClass)
        publishWorker(taskClass, "ready", nil)
        assessHealth()
        if workers.allSatisfy(\.isReady) { log(.notice, "ready: all classes take orders") }
    }

    /// Stops listening to a worker that broke a rule, and has it killed.
    mutating func quarantine(_ taskClass: TaskClass, _ why: String) {
        let index = Int(taskClass.rawValue)
        guard workers[index].move(.quarantine, at: now) else { return }
        workers[index].why = why
        workers[index].canary = nil
        log(
            .error, "a worker is out of order; it is killed",
            ["class": taskClass.name, "why": why])
        write([audit("scheduler", "worker.violation", taskClass.name, why)])
        actions.append(.killWorker(taskClass))
        publishWorker(taskClass, "quarantined", why)
        assessHealth()
    }

    private mutating func publishWorker(_ taskClass: TaskClass, _ state: String, _ detail: String?)
    {
        publish(
            .worker(
                taskClass, state: state, processID: worker(taskClass).processID, detail: detail))
    }
}
