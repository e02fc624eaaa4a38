// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore

extension SchedulerCore {
    /// Sees whether the clocks went on as they should since the event before.
    mutating func noticeTime() {
        let step = now.offset - last.offset
        if step > settings.clockTolerance || step < .zero - settings.clockTolerance {
            noticeStep(step)
        }
        if let expected = expectedBack {
            expectedBack = nil
            if now.boot > expected + settings.pauseTolerance, !planted(.suspendKillsWorkers) {
                postponeDeadlines()
            }
        }
    }

    /// The wall clock was stepped.
    ///
    /// A step forward needs nothing: what it passed is due, and the misfire policy decides. A step
    /// back would leave every task waiting for instants that were near and are far now; an instant
    /// that ran already does not run again, the store's claim sees to that.
    private mutating func noticeStep(_ step: Duration) {
        clockSteps = (clockSteps.count + 1, step)
        punctualSince = now.boot
        log(
            .notice, "the wall clock was stepped",
            ["seconds": "\(Double(step.wholeMicroseconds) / 1_000_000)"])
        if planted(.timeoutsOnWallClock) { bootTimers.shift(by: .zero - step) }
        guard step < .zero else { return }
        expectAgain(last.wall)
        startAllAhead()
        if planted(.timerLostAfterStep) {
            for id in taskIDs {
                if let key = tasks[id]?.key { wallTimers.set(key, at: nil) }
            }
            return
        }
        // One that is not stored yet takes its nearer instant when it is.
        for id in taskIDs where tasks[id]?.isCreating == false { takeNearer(id) }
    }

    /// Plans the instant that is nearer than the one that was planned by another clock.
    ///
    /// What is due and not yet looked at, as where the jitter puts it off, stays due; a plan that
    /// was at its end has instants before it again.
    mutating func takeNearer(_ id: TaskID) {
        guard let task = tasks[id], task.record.enabled,
            let next = task.table.next(after: now.wall),
            task.record.nextRun.map({ next < $0 }) ?? true
        else { return }
        tasks[id]?.record.nextRun = next
        arm(id)
        tellNextRun(of: task.key)
    }

    /// Instants up to this one may come a second time.
    mutating func expectAgain(_ instant: Instant) {
        repeatedUntil = max(repeatedUntil ?? instant, instant)
    }

    /// The machine slept: nobody could keep a deadline meanwhile, and nobody is late for it.
    mutating func resume(after time: Duration) {
        punctualSince = now.boot
        log(
            .notice, "the machine was suspended",
            ["seconds": "\(time.wholeMicroseconds / 1_000_000)"])
        if !planted(.suspendKillsWorkers) { postponeDeadlines() }
    }

    /// Whether what a timer waits for can be said not to have come: a worker may have kept its
    /// deadline, and the report of it lie unread, as after a sleep that took somewhat too long.
    ///
    /// Who floods its pipe so that nobody comes to its end is late after a while all the same.
    func isOver(_ timer: BootTimer, _ due: Duration, _ heard: Heard) -> Bool {
        let isUnread: Bool
        switch timer {
        case .backstop(let key):
            let execution = attempts[key].flatMap { executions[$0] }
            isUnread =
                execution.flatMap { workerID(of: $0) }.map { heard.unread.contains($0) } ?? false
        case .canary(let workerID), .silence(let workerID):
            isUnread = heard.unread.contains(workerID)
        // A stop waits for no flood.
        case .stop: isUnread = false
        case .ping, .retry, .maximumDefer, .resources, .heartbeat, .store, .waitingWrites, .audit,
            .boot:
            return true
        }
        return heard.until >= due + (isUnread ? settings.backstopSlack : .zero)
    }

    /// Deadlines of others that passed while the loop did not run, or are about to, begin anew: who
    /// is to keep them did not run either, or could not be heard.
    private mutating func postponeDeadlines() {
        let longest = max(
            settings.backstopSlack, settings.canaryPatience, settings.heartbeatPatience,
            settings.stopPatience)
        for name in bootTimers.names(dueAt: now.boot + longest) {
            let patience: Duration
            switch name {
            case .backstop: patience = settings.backstopSlack
            case .canary: patience = settings.canaryPatience
            case .silence(let workerID):
                workers[workerID.number].askedAt = now.boot
                patience = settings.silenceNoticed
            case .stop: patience = settings.stopPatience
            case .retry, .maximumDefer, .resources, .ping, .heartbeat, .store, .waitingWrites,
                .audit, .boot:
                continue
            }
            let due = bootTimers.time(of: name) ?? now.boot
            bootTimers.set(name, at: max(due, now.boot + patience))
        }
    }
}
