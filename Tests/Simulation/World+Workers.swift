// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import SchedulerCore

/// The supervisor, as far as workers are concerned: launches, back-off, ends.
extension World {
    mutating func launch(_ workerID: WorkerID) {
        let index = workerID.number
        guard !workers[index].isAlive, !workers[index].isLaunching else { return }
        workers[index].isLaunching = true
        var dice = dice(.supervisor, UInt64(index))
        if workers[index].launchFailures > 0 {
            workers[index].launchFailures -= 1
            workers[index].isLaunching = false
            workers[index].deaths += 1
            schedule(
                .workerNews(life: life, workerID, .launchFailed(errno: 12), incarnation: -1),
                in: dice.time(.milliseconds(1), .milliseconds(50)))
            schedule(.relaunch(life: life, workerID), in: backoff(workerID))
            return
        }
        schedule(
            .launched(workerID, incarnation: workers[index].incarnation + 1),
            in: dice.time(.milliseconds(2), .milliseconds(200)))
    }

    private func backoff(_ workerID: WorkerID) -> Span {
        let deaths = min(8, workers[workerID.number].deaths)
        return min(.seconds(30), .milliseconds(100 << Int64(deaths)))
    }

    mutating func launched(_ workerID: WorkerID, _ incarnation: Int) {
        let index = workerID.number
        guard workers[index].isLaunching, workers[index].incarnation + 1 == incarnation, isUp else {
            return
        }
        var dice = dice(.supervisor, UInt64(index))
        workers[index].isLaunching = false
        workers[index].incarnation = incarnation
        workers[index].isAlive = true
        workers[index].isBeingKilled = false
        workers[index].launchedAt = now
        workers[index].running = []
        workers[index].hangsUntil = .zero
        workers[index].isSuspect =
            workers[index].canaryFault != nil || now < workers[index].reportsLateUntil
            || now < workers[index].pipeFullUntil
        schedule(
            .workerNews(
                life: life, workerID, .launched(processID: UInt64(1000 + incarnation)),
                incarnation: incarnation), in: dice.time(.zero, .milliseconds(60)))
        // It greets before it reads its first order.
        let greets = now + dice.time(.zero, .milliseconds(120))
        workers[index].hangsUntil = greets
        schedule(.hello(workerID, incarnation: incarnation), at: greets)
    }

    mutating func hello(_ workerID: WorkerID, _ incarnation: Int) {
        let index = workerID.number
        guard workers[index].isAlive, workers[index].incarnation == incarnation else { return }
        report(
            .hello(
                processID: UInt32(1000 + incarnation), capacity: UInt32(workers[index].capacity),
                wallLimit: workers[index].wallLimit,
                layers: LayerReport(held: ["seccomp"], missing: [])), workerID)
    }

    /// The worker's process ends, and all that it ran with it.
    mutating func workerEnds(
        _ workerID: WorkerID, _ incarnation: Int, status: Int32, words: String
    ) {
        let index = workerID.number
        guard workers[index].isAlive, workers[index].incarnation == incarnation else { return }
        var dice = dice(.supervisor, UInt64(index))
        note("WORKER \(workerID.label) ends")
        workers[index].isAlive = false
        workers[index].swapped = nil
        for key in workers[index].running { runs[key]?.isOver = true }
        workers[index].running = []
        workers[index].deaths =
            now - workers[index].launchedAt > .minutes(1) ? 1 : workers[index].deaths + 1
        schedule(
            .workerNews(
                life: life, workerID, .exited(status: status, words: words),
                incarnation: incarnation), in: dice.time(.milliseconds(1), .milliseconds(150)))
        schedule(.relaunch(life: life, workerID), in: backoff(workerID) + .milliseconds(150))
    }
}
