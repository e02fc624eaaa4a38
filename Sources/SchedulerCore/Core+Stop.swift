// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore

extension SchedulerCore {
    /// Moves the system's life on; false where the transition is not one of its state.
    @discardableResult
    mutating func move(_ transition: StopState.Transition) -> Bool {
        guard let next = stop.next(after: transition) else { return false }
        stop = next
        if case .ended(let status) = next {
            refuseHeld()
            actions.append(.end(status))
        }
        return true
    }

    /// Asks all running attempts to end, and waits for them with a bound.
    mutating func beginStop() {
        guard move(.stop) else { return }
        log(.notice, "stopping", ["running": "\(running)"])
        bootTimers.set(.stop, at: now.boot + settings.stopPatience)
        let open = executions.values.filter { $0.state == .running }.map(\.id)
        for id in open.sorted() { end(id, .shutdown, isNow: false) }
    }

    /// The stop's time is over: writes off attempts that did not end, or what cannot be written.
    mutating func abandonRunning() {
        switch stop {
        case .stopping:
            let open = executions.values.filter { $0.state == .running }.map(\.id)
            for id in open.sorted() {
                finish(
                    id, CancelReason.shutdown.outcome, exit: nil,
                    message: "did not end with the system", result: nil)
            }
            drain()
        case .draining: move(.written)
        case .running, .ended: break
        }
    }

    /// Goes on with a stop once nothing runs, and ends it once all is written.
    mutating func finishStop() {
        if planted(.stopNeverEnds) { return }
        if stop == .stopping, running == 0 { drain() }
        if stop == .draining, ledger.isEmpty { move(.written) }
    }

    private mutating func drain() {
        guard move(.idle) else { return }
        bootTimers.set(.stop, at: now.boot + settings.stopPatience)
        refuseHeld()
    }

    private mutating func refuseHeld() {
        for held in heldRequests.values.flatMap({ $0 }).sorted(by: { $0.id < $1.id }) {
            refuse(held.id, .unavailable, "the system is stopping")
        }
        heldRequests = [:]
    }
}
