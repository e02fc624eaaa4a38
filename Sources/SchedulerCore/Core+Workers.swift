// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore

extension SchedulerCore {
    /// The supervisor tells of a worker.
    mutating func receive(_ news: WorkerNews, of workerID: WorkerID) {
        let index = workerID.number
        switch news {
        case .launched(let processID):
            guard workers[index].move(.launch, at: now) else { return }
            workers[index].processID = processID
            workers[index].restarts += 1
            workers[index].why = nil
            workers[index].isBlocked = false
            workers[index].returned = 0
            expectAnswer(of: workerID)
            publishWorker(workerID, "launched", nil)
        case .exited(let status, let words): exited(workerID, status, words)
        case .launchFailed(let errno, let words):
            guard workers[index].move(.launchFail, at: now) else { return }
            workers[index].processID = nil
            workers[index].deaths += 1
            let why = words.isEmpty ? "errno \(errno)" : words
            workers[index].lastEnd = "could not be launched: \(why)"
            workers[index].diedAt = now.wall
            publishWorker(workerID, "launch_failed", why)
            assessHealth()
        }
    }

    private mutating func exited(_ workerID: WorkerID, _ status: Int32, _ words: String) {
        let index = workerID.number
        let worker = workers[index]
        let isStable = worker.isReady && now.boot - worker.since.boot >= settings.stableAfter
        guard workers[index].move(.exit, at: now) else { return }
        workers[index].processID = nil
        workers[index].diedAt = now.wall
        workers[index].askedAt = nil
        workers[index].layers = []
        workers[index].passedChecks = nil
        if let canary = worker.canary, canary.isSent {
            workers[index].keepFormer([canary.order.attempt])
        }
        workers[index].canary = nil
        workers[index].isBlocked = false
        workers[index].returned = 0
        workers[index].deaths = isStable ? 1 : worker.deaths + 1
        let end = WaitStatusText.words(status)
        workers[index].lastEnd = words.isEmpty ? end : "\(end): \(words)"
        for timer in [
            BootTimer.ping(workerID), .canary(workerID), .heartbeat(workerID),
            .silence(workerID),
        ] { bootTimers.set(timer, at: nil) }
        publishWorker(workerID, "exited", workers[index].lastEnd)
        let lost = executions.values.filter {
            $0.workerNumber == UInt8(workerID.number) && $0.attempt?.isSent == true
                && $0.state == .running
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
        handBackUnsent(of: workerID)
        assessHealth()
    }

    /// Sends a ping of a new nonce.
    mutating func ping(_ workerID: WorkerID) {
        let index = workerID.number
        workers[index].nonce &+= 1
        if !workers[index].isBlocked {
            actions.append(.send(workerID, .ping(nonce: workers[index].nonce)))
        }
        if workers[index].state == .launched {
            bootTimers.set(.ping(workerID), at: now.boot + settings.pingInterval)
        }
    }

    /// Pings a worker that owes an answer from now on: one that gives none in its time is killed.
    private mutating func expectAnswer(of workerID: WorkerID) {
        workers[workerID.number].askedAt = now.boot
        bootTimers.set(.silence(workerID), at: now.boot + settings.silenceNoticed)
        ping(workerID)
    }

    /// A worker's pipe has room again, so that it lives: it has its time from now on, and is sent the
    /// ping that may not have left.
    mutating func expectAnswerAnew(of workerID: WorkerID) {
        guard worker(workerID).askedAt != nil else { return }
        let wasSilent = silence(of: worker(workerID)) != nil
        expectAnswer(of: workerID)
        if wasSilent { assessHealth() }
    }

    /// Pings a worker again that did not answer.
    mutating func pingAgain(_ workerID: WorkerID) {
        guard worker(workerID).state == .launched else { return }
        ping(workerID)
        assessHealth()
    }

    mutating func receivePong(_ nonce: UInt64, from workerID: WorkerID) {
        guard nonce == worker(workerID).nonce else { return }
        switch worker(workerID).state {
        case .launched: probe(workerID)
        case .ready: receiveSignOfLife(workerID)
        case .absent, .probing, .canaryFailed, .quarantined: break
        }
    }

    /// A worker that works is asked for a sign of life.
    mutating func beat(_ workerID: WorkerID) {
        guard worker(workerID).isReady else { return }
        bootTimers.set(.heartbeat(workerID), at: now.boot + settings.heartbeatInterval)
        let index = workerID.number
        if workers[index].deaths > 0, now.boot - workers[index].since.boot >= settings.stableAfter {
            workers[index].deaths = 0
            assessHealth()
        }
        // One that is asked already has its time. Who reads nothing from a full pipe owes as well.
        guard bootTimers.time(of: .silence(workerID)) == nil else { return }
        expectAnswer(of: workerID)
    }

    private mutating func receiveSignOfLife(_ workerID: WorkerID) {
        let wasSilent = silence(of: worker(workerID)) != nil
        bootTimers.set(.silence(workerID), at: nil)
        workers[workerID.number].askedAt = nil
        if wasSilent { assessHealth() }
    }

    /// For how long a worker has owed a sign of life; nil where that is not worth telling.
    package func silence(of worker: Worker) -> Duration? {
        guard worker.isReady, let asked = worker.askedAt,
            now.boot - asked >= settings.silenceNoticed
        else { return nil }
        return now.boot - asked
    }

    /// A worker owes a sign of life: that is told first, and then it is killed.
    mutating func noticeSilence(_ workerID: WorkerID) {
        let patience: Duration
        let what: String
        switch worker(workerID).state {
        case .launched:
            (patience, what) = (settings.launchPatience, "answered no ping since its launch")
        case .ready: (patience, what) = (settings.heartbeatPatience, "gave no sign of life")
        // The canary has a time of its own.
        case .probing, .absent, .canaryFailed, .quarantined: return
        }
        let killed = (worker(workerID).askedAt ?? now.boot) + patience
        guard now.boot >= killed else {
            bootTimers.set(.silence(workerID), at: killed)
            return assessHealth()
        }
        quarantine(workerID, "\(what) for \(patience.wholeMicroseconds / 1_000_000) s")
    }

    // MARK: - The canary

    /// Has a worker that lives run its class's canary; until that passed it takes no orders.
    private mutating func probe(_ workerID: WorkerID) {
        let index = workerID.number
        guard workers[index].move(.pong, at: now) else { return }
        bootTimers.set(.ping(workerID), at: nil)
        bootTimers.set(.silence(workerID), at: nil)
        workers[index].askedAt = nil
        bootTimers.set(.canary(workerID), at: now.boot + settings.canaryPatience)
        workers[index].canary = CanaryRun(
            workerID.taskClass, number: canaries, at: now, patience: settings.canaryPatience)
        canaries += 1
        sendCanary(workerID)
    }

    mutating func sendCanary(_ workerID: WorkerID) {
        let index = workerID.number
        guard let canary = workers[index].canary, !canary.isSent, !workers[index].isBlocked else {
            return
        }
        workers[index].canary?.isSent = true
        actions.append(.send(workerID, .run(canary.order)))
    }

    mutating func canarySaid(_ word: CanaryRun.Word, in workerID: WorkerID) {
        let index = workerID.number
        guard let verdict = workers[index].canary?.receive(word) else { return }
        judge(workerID, verdict)
    }

    /// The canary's time is over: where there is no word of it, its worker does not answer.
    mutating func missCanary(_ workerID: WorkerID) {
        guard worker(workerID).state == .probing, let canary = worker(workerID).canary else {
            return
        }
        guard canary.sequence > 0 else {
            let seconds = settings.canaryPatience.wholeMicroseconds / 1_000_000
            return quarantine(workerID, "gave no sign of its canary for \(seconds) s")
        }
        judge(workerID, canary.lateVerdict)
    }

    private mutating func judge(_ workerID: WorkerID, _ verdict: CanaryRules.Finding) {
        let index = workerID.number
        bootTimers.set(.canary(workerID), at: nil)
        let time = now.boot - (workers[index].canary?.orderedAt ?? now.boot)
        workers[index].canary = nil
        switch verdict {
        case .passed(let checks):
            guard workers[index].move(.pass, at: now) else { return }
            log(
                .info, "canary passed",
                [
                    "worker": workerID.label, "checks": "\(checks)",
                    "milliseconds": "\(time.wholeMicroseconds / 1000)",
                ])
            workers[index].passedChecks = checks
            markReady(workerID)
        case .failed(let why):
            guard workers[index].move(.fail, at: now) else { return }
            workers[index].why = why
            log(
                .error, "canary failed; the worker takes no orders",
                ["worker": workerID.label, "why": why])
            write([audit("scheduler", "class.canary", workerID.label, why)])
            publishWorker(workerID, "canary_failed", why)
            assessHealth()
        }
    }

    /// A worker's sandbox was probed: it takes orders from now on.
    ///
    /// The system is ready with the shipped ones: another's fault is its own.
    private mutating func markReady(_ workerID: WorkerID) {
        needsAdmission = true
        bootTimers.set(.heartbeat(workerID), at: now.boot + settings.heartbeatInterval)
        publishWorker(workerID, "ready", nil)
        assessHealth()
        guard workerID.isShipped, workers.allSatisfy({ !$0.id.isShipped || $0.isReady }) else {
            return
        }
        log(.notice, "ready: all classes take orders")
    }

    /// Stops listening to a worker that broke a rule, and has it killed.
    mutating func quarantine(_ workerID: WorkerID, _ why: String) {
        let index = workerID.number
        guard workers[index].move(.quarantine, at: now) else { return }
        workers[index].why = why
        workers[index].canary = nil
        log(
            .error, "a worker is out of order; it is killed",
            ["worker": workerID.label, "why": why])
        write([audit("scheduler", "worker.violation", workerID.label, why)])
        actions.append(.killWorker(workerID))
        handBackUnsent(of: workerID)
        publishWorker(workerID, "quarantined", why)
        assessHealth()
    }

    private mutating func publishWorker(
        _ workerID: WorkerID, _ state: String, _ detail: String?
    ) {
        publish(
            .worker(
                workerID, state: state, processID: worker(workerID).processID, detail: detail))
    }
}
