// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoConfig
import AicoCore
import AicoStore
import AicoWire
import BusServer
import Logging
import SchedulerCore
import ZeroMQ

extension Scheduler {
    /// No sleep is longer: a suspend or a clock that was set is seen by then at the latest.
    static let longestSleep = Duration.seconds(30)
    /// The timer of the longest sleep is for a multiple of this, so that not each turn arms it.
    private static let sleepGrain: Int64 = 5_000_000
    /// Requests that one turn takes at most, and for how long.
    private static let requestsPerTurn = 64
    private static let requestSlice = Duration.milliseconds(10)

    private enum Key {
        static let supervisor = 0
        static let clock = 1
        static let writer = 2
        static let reader = 3
        static let bus = 10
        static let workers = 20
        private static let keysOfWorker = 4

        static func reports(_ worker: WorkerID) -> Int { workers + keysOfWorker * worker.number }
        static func isReports(_ key: Int) -> Bool {
            key >= workers && (key - workers) % keysOfWorker == 0
        }
        static func orders(_ worker: WorkerID) -> Int { reports(worker) + 1 }
        static func doors(_ worker: WorkerID) -> (orders: Int, reports: Int) {
            (reports(worker) + 2, reports(worker) + 3)
        }
    }

    /// Runs until the system stops; gives the exit status.
    package func run() throws -> Int32 {
        try start()
        var poller = ZMQPoller()
        poller.add(descriptor: supervisor.descriptor, key: Key.supervisor)
        poller.add(descriptor: clock.descriptor, key: Key.clock)
        poller.add(descriptor: writer.descriptor, key: Key.writer)
        poller.add(descriptor: reader.descriptor, key: Key.reader)
        for (number, socket) in bus.sockets.enumerated() {
            poller.add(socket, key: Key.bus + number)
        }
        for pipe in pipes {
            poller.add(pipe.reports, key: Key.reports(pipe.worker))
            let doors = Key.doors(pipe.worker)
            poller.add(pipe.ordersDoor.socket, key: doors.orders)
            poller.add(pipe.reportsDoor.socket, key: doors.reports)
        }
        try turn(ready: [], asked: WallClock.time.boot)
        while true {
            if let status {
                finish()
                return status
            }
            try sleepAndTurn(&poller)
        }
    }

    private func sleepAndTurn(_ poller: inout ZMQPoller) throws {
        for pipe in pipes {
            let key = Key.orders(pipe.worker)
            if pipe.isFull {
                poller.add(pipe.orders, events: .writable, key: key)
            } else {
                poller.remove(key: key)
            }
        }
        let now = WallClock.time
        let wake = core.wake
        let longest = (now.wall + Self.longestSleep).microseconds
        let limit = Instant(microseconds: longest - longest % Self.sleepGrain)
        try clock.arm(for: min(wake.wall ?? limit, limit))
        var timeout: Duration?
        if let boot = wake.boot { timeout = max(.zero, boot - now.boot) }
        if lastLoad == .notYet { timeout = min(timeout ?? Self.firstLook, Self.firstLook) }
        if bus.wantsToWrite { timeout = min(timeout ?? .milliseconds(20), .milliseconds(20)) }
        if core.isBusy { timeout = .zero }
        let ready = try poller.wait(timeout: timeout)
        let began = WallClock.uptime
        // What was sent later may be unread at the turn's end.
        try turn(ready: ready, asked: now.boot)
        metrics.count(turn: WallClock.uptime - began)
    }

    /// How soon the machine is looked at a second time: one look says nothing of its load.
    private static let firstLook = Duration.milliseconds(10)

    private func turn(ready: [ZMQPoller.Ready], asked: Duration) throws {
        noticeSuspend()
        // The supervisor first: a worker's end must be known before what it left behind is read.
        if ready.contains(where: { $0.key == Key.supervisor || Key.isReports($0.key) }) {
            takeSupervisorMessages()
        }
        for item in ready where item.key == Key.clock {
            if clock.take() { feed(.clockSet) }
        }
        for (token, result) in writer.take() { feed(.committed(token: token, result)) }
        let purged = writer.takePurged()
        if purged > 0 {
            log.warning(
                "the oldest dead letters were purged: there are more than are kept",
                metadata: [
                    "count": "\(purged)", "kept": "\(StoreLimits.standard.openDeadLetters)",
                ])
        }
        for (token, result) in reader.take() { answered(token, result) }
        // To ask a socket that has nothing costs a system call: a dozen of them in each turn.
        let isBusReady = bus.wantsToWrite || ready.contains { Key.bus..<Key.workers ~= $0.key }
        if isBusReady {
            attempt("admit") { () throws(ZeroMQError) in try bus.admit() }
            attempt("acceptSubscriptions") { () throws(ZeroMQError) in try bus.acceptSubscriptions()
            }
        }
        for incident in bus.takeIncidents() {
            log.warning(
                "a bus client was refused",
                metadata: ["actor": "\(incident.actor)", "action": "\(incident.action)"])
            feed(
                .audit(
                    actor: incident.actor, action: incident.action, subject: "",
                    detail: "\(incident.count) \(incident.detail)"))
        }
        for pipe in pipes {
            let doors = Key.doors(pipe.worker)
            guard ready.contains(where: { $0.key == doors.orders || $0.key == doors.reports })
            else {
                continue
            }
            attempt("watch a pipe") { () throws(ZeroMQError) in
                guard let why = try pipe.watchDoors() else { return }
                feed(.malformedReport(pipe.worker, why))
            }
        }
        var heard = Heard(until: asked)
        for pipe in pipes where ready.contains(where: { $0.key == Key.reports(pipe.worker) }) {
            let isAll = takeReports(of: pipe, limit: configuration.scheduler.batchSize)
            if !isAll { heard.unread.insert(pipe.worker) }
        }
        for pipe in pipes where ready.contains(where: { $0.key == Key.orders(pipe.worker) }) {
            pipe.isFull = false
            feed(.writable(pipe.worker))
        }
        if isBusReady { takeRequests() }
        lookAtMachine()
        if logWatch.isDue(at: WallClock.uptime) { lookAtLog() }
        feed(.settle(heard))
        attempt("reply") { () throws(ZeroMQError) in try bus.flush() }
    }

    /// Hands an event to the core and does what it says, with all that follows from that.
    func feed(_ event: Event) {
        perform(core.handle(event, at: WallClock.time))
        while !echoes.isEmpty {
            let next = echoes.removeFirst()
            perform(core.handle(next, at: WallClock.time))
        }
    }

    private func takeRequests() {
        attempt("receive request") { () throws(ZeroMQError) in
            let began = WallClock.uptime
            for _ in 0..<Self.requestsPerTurn {
                guard let (client, frames) = try bus.receive() else { return }
                handle(frames, from: client)
                if WallClock.uptime - began > Self.requestSlice { return }
            }
        }
    }

    /// Takes what one worker reports.
    ///
    /// No more than one turn's batch, so that a flood starves nobody. Whether it was all there was.
    @discardableResult
    func takeReports(of pipe: WorkerPipe, limit: Int) -> Bool {
        var isAll = false
        attempt("receive report") { () throws(ZeroMQError) in
            for _ in 0..<limit {
                guard let frames = try pipe.receive() else {
                    isAll = true
                    return
                }
                guard frames.count == 1, let frame = frames.first else {
                    feed(
                        .malformedReport(
                            pipe.worker, "sent a report of \(frames.count) frames"))
                    continue
                }
                do throws(WireError) {
                    feed(.report(pipe.worker, try ReportCodec.decode(frame)))
                } catch {
                    feed(.malformedReport(pipe.worker, error.description))
                }
            }
        }
        return isAll
    }

    /// Looked at in each turn, so that the load is of lately and not since the last start.
    private func lookAtMachine() {
        let load = monitor.load(at: WallClock.time.boot)
        guard load != lastLoad else { return }
        lastLoad = load
        feed(.load(load))
    }

    /// Tells the core of a write-ahead log beyond its bound; `always` also of one within.
    func lookAtLog(always: Bool = false) {
        let bytes = writer.walBytes
        let bound = core.settings.health.logBytes
        guard logWatch.isNews(bytes: bytes, bound: bound) || always else { return }
        feed(.writeAheadLog(bytes: bytes, readers: bytes > bound ? writer.walReaders : []))
    }

    private func noticeSuspend() {
        let suspended = WallClock.suspended
        let time = suspended - suspendedSoFar
        guard time > .seconds(1) else { return }
        suspendedSoFar = suspended
        feed(.suspended(time))
    }

    /// Takes what the supervisor has to say.
    private func takeSupervisorMessages() {
        while let event = supervisor.receive() {
            switch event {
            case .closed:
                log.error("the supervisor is gone; ending")
                return feed(.supervisorLost)
            case .message(let message): handle(message)
            }
        }
    }

    private func handle(_ message: SupervisorMessage) {
        switch message.kind {
        case .launched:
            handle(message) { pipe in
                pipe.beginAnew()
                return .launched(processID: message.processID)
            }
        case .exited:
            handle(message) { pipe in
                // What it reported before its end still counts.
                takeReports(of: pipe, limit: .max)
                pipe.isFull = false
                return .exited(status: message.argument, words: message.wordsText)
            }
        case .launchFailed:
            handle(message) { _ in
                .launchFailed(errno: message.argument, words: message.wordsText)
            }
        case .shutdown: feed(.stop)
        case .ping:
            supervisor.send(SupervisorMessage(kind: .pong, argument: message.argument))
        case .launch, .kill, .status, .stop, .pong, .ready: endForBadMessage()
        }
    }

    /// Takes word of a worker.
    private func handle(_ message: SupervisorMessage, news: (WorkerPipe) -> WorkerNews) {
        guard pipes.indices.contains(Int(message.worker)) else { return endForBadMessage() }
        let pipe = pipes[Int(message.worker)]
        feed(.worker(pipe.worker, news(pipe)))
    }

    private func endForBadMessage() {
        log.error("the supervisor sent a message that makes no sense; ending")
        feed(.supervisorLost)
    }
}
