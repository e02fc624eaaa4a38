// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoConfig
import AicoCore
import AicoWire
import Logging
import ZeroMQ

extension Scheduler {
    /// No sleep is longer: a suspend or a clock that was set is seen by then at the latest.
    static let longestSleep = Duration.seconds(30)
    /// Requests that one turn takes.
    static let requestsPerTurn = 64

    private enum Key {
        static let supervisor = 0
        static let clock = 1
        static let admission = 2
        static let requests = 3
        static let events = 4
        static let reports = 10
        static let orders = 20
    }

    /// Runs until the system stops; gives the exit status.
    public func run() throws -> Int32 {
        try start()
        var poller = ZMQPoller()
        poller.add(descriptor: supervisor.descriptor, key: Key.supervisor)
        poller.add(descriptor: clock.descriptor, key: Key.clock)
        poller.add(bus.zap.socket, key: Key.admission)
        poller.add(bus.router, key: Key.requests)
        poller.add(bus.events, key: Key.events)
        for pipe in pipes {
            poller.add(pipe.reports, key: Key.reports + Int(pipe.taskClass.rawValue))
        }
        try turn(ready: [])
        while true {
            if case .ended(let status) = phase {
                finish()
                return status
            }
            try sleepAndTurn(&poller)
        }
    }

    private func sleepAndTurn(_ poller: inout ZMQPoller) throws {
        for pipe in pipes {
            let key = Key.orders + Int(pipe.taskClass.rawValue)
            if pipe.wantsToWrite {
                poller.add(pipe.orders, events: .writable, key: key)
            } else {
                poller.remove(key: key)
            }
        }
        let isBusy = needsAdmission || (!journal.isEmpty && journal.failingSince == nil)
        let limit = clock.now + Self.longestSleep
        try clock.arm(for: min(timers.earliest ?? limit, limit))
        let ready = try poller.wait(timeout: isBusy ? .zero : nil)
        let began = WallClock.uptime
        try turn(ready: ready)
        metrics.count(turn: WallClock.uptime - began)
    }

    private func turn(ready: [ZMQPoller.Ready]) throws {
        now = clock.now
        // The supervisor first: a worker's end must be known before what it left behind is read.
        takeSupervisorMessages()
        for item in ready where item.key == Key.clock {
            if clock.take() { checkClock(wasSet: true) }
        }
        checkClock(wasSet: false)
        attempt("admit") { () throws(ZeroMQError) in try bus.admit() }
        noteRefusedKeys()
        attempt("welcome") { () throws(ZeroMQError) in try bus.welcome() }
        for pipe in pipes {
            takeReports(of: pipe)
            if pipe.wantsToWrite {
                attempt("order") { () throws(ZeroMQError) in try pipe.write() }
            }
        }
        takeRequests()
        fireTimers()
        // Looked at in each turn, so that the load is of lately and not since the last start.
        _ = monitor.load(at: now)
        admit()
        flush()
        endIfIdle()
    }

    /// Writes the turn's changes and lets go what waited for them.
    func flush() {
        switch journal.flush(at: now) {
        case .nothing, .written: timers.set(.journal, at: nil)
        case .kept: timers.set(.journal, at: now + configuration.scheduler.retryInterval)
        }
    }

    private func fireTimers() {
        while let (name, _) = timers.pop(dueAt: now) {
            switch name {
            case .task(let id): fire(id)
            case .retry(let execution): retry(execution)
            case .backstop(let key): enforceBackstop(key)
            case .resources: needsAdmission = true
            case .greet(let taskClass): greetAgain(pipe(taskClass))
            case .canary(let taskClass): missCanary(pipe(taskClass))
            case .journal: break
            case .stop: abandonRunning()
            }
        }
    }

    private func noteRefusedKeys() {
        let count = bus.takeRefused()
        guard count > 0 else { return }
        audit("unknown", "bus.key_refused", "", "\(count) connections")
        log.warning("refused an unknown bus key", metadata: ["connections": "\(count)"])
    }
}
