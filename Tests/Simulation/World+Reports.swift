// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import SchedulerCore

/// What a worker says, and what becomes of it on the way.
extension World {
    /// Sends a report on its way, with what the worker's nature makes of it.
    mutating func report(_ report: Report, _ workerID: WorkerID) {
        let index = workerID.number
        let incarnation = workers[index].incarnation
        var delivery = Delivery(report: report, incarnation: incarnation)
        if let held = workers[index].swapped {
            workers[index].swapped = nil
            delivery.isDeviating = report.key == held.report?.key
            var late = held
            late.isDeviating = delivery.isDeviating
            deliver(delivery, workerID)
            return deliver(late, workerID)
        }
        if let key = report.key, runs[key]?.isMissingReport == true { delivery.isDeviating = true }
        guard let hostility = workers[index].hostility, let key = report.key,
            runs[key]?.isCanary != true
        else { return deliver(delivery, workerID) }
        workers[index].hostility = nil
        workers[index].isSuspect = true
        note("HOSTILE \(workerID.label) \(hostility)")
        switch hostility {
        case .double:
            deliver(delivery, workerID)
            delivery.isDeviating = true
            deliver(delivery, workerID)
        case .skip:
            if case .finished = report { return }
            runs[key]?.isMissingReport = true
        case .swap: workers[index].swapped = delivery
        case .malformed:
            deliver(Delivery(report: nil, incarnation: incarnation, isDeviating: true), workerID)
        case .foreign:
            deliver(delivery, workerID)
            let others = runs.keys.sorted().filter {
                runs[$0]?.isOver == false && runs[$0]?.workerID != workerID
            }
            let victim = others.first ?? key &+ 1_000_000
            deliver(
                Delivery(
                    report: .finished(
                        attempt: AttemptKey(victim), sequence: runs[victim]?.sequence ?? 0,
                        exit: Self.exit(
                            .succeeded(result: Array("\"forged\"".utf8)), .exited(code: 0), nil)),
                    incarnation: incarnation, isDeviating: true), workerID)
        }
    }

    private mutating func deliver(_ delivery: Delivery, _ workerID: WorkerID) {
        let index = workerID.number
        var dice = dice(.reports, order)
        var delay = Span(Int64(100 + dice.below(4000)))
        if dice.percent(3) { delay = delay + dice.time(.zero, .milliseconds(300)) }
        if now < workers[index].reportsLateUntil { delay = delay + workers[index].reportDelay }
        let at = max(now + delay, workers[index].lastArrival)
        workers[index].lastArrival = at
        schedule(.report(life: life, workerID, delivery), at: at)
    }
}

extension Report {
    /// The attempt that it is about.
    var key: UInt64? {
        switch self {
        case .hello, .pong: nil
        case .started(let key, _, _, _), .progress(let key, _, _, _), .log(let key, _, _, _, _),
            .finished(let key, _, _):
            key.value
        }
    }
}
