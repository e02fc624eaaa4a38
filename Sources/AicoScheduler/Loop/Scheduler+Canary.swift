// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Logging
import ZeroMQ

extension Scheduler {
    /// Has a worker that lives run its class's canary; until that is held it takes no orders.
    func prove(_ pipe: ClassPipe) {
        timers.set(.greet(pipe.taskClass), at: nil)
        timers.set(.canary(pipe.taskClass), at: now + CanaryRun.patience)
        let canary = CanaryRun(
            pipe.taskClass, number: canaries, at: now, uptime: WallClock.uptime)
        canaries += 1
        attempt("canary") { () throws(ZeroMQError) in try pipe.prove(canary) }
    }

    /// Takes a report of the canary that was checked as every attempt's are.
    func canarySaid(_ word: CanaryRun.Word, _ canary: CanaryRun, in pipe: ClassPipe) {
        var canary = canary
        let verdict = canary.take(word)
        pipe.worker = .proving(canary)
        if let verdict { decide(pipe, verdict, after: WallClock.uptime - canary.orderedAt) }
    }

    /// The canary's time is over.
    func missCanary(_ pipe: ClassPipe) {
        guard case .proving(let canary) = pipe.worker else { return }
        let time = WallClock.uptime - canary.orderedAt
        guard time >= CanaryRun.patience else {
            timers.set(.canary(pipe.taskClass), at: now + (CanaryRun.patience - time))
            return
        }
        decide(pipe, canary.lateVerdict, after: time)
    }

    private func decide(
        _ pipe: ClassPipe, _ verdict: CanaryRules.Verdict, after time: Duration
    ) {
        timers.set(.canary(pipe.taskClass), at: nil)
        switch verdict {
        case .held(let ways):
            log.info(
                "a sandbox holds its canary",
                metadata: [
                    "class": "\(pipe.taskClass.name)", "ways": "\(ways)",
                    "milliseconds": "\(time.wholeMicroseconds / 1000)",
                ])
            pipe.provenWays = ways
            welcome(pipe)
        case .failed(let why):
            pipe.worker = .unproven(why)
            pipe.since = now
            log.error(
                "a sandbox does not hold its canary; the class takes no orders",
                metadata: ["class": "\(pipe.taskClass.name)", "why": "\(why)"])
            audit("scheduler", "class.canary", pipe.taskClass.name, why)
            publishWorker(pipe, "unproven", detail: why)
            assessHealth()
        }
    }
}
