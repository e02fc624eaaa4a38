// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoConfig
import AicoCore
import AicoStore
import AicoWire
import Glibc
import Logging

extension Scheduler {
    /// What running attempts get to end themselves when the system stops.
    static let stopGrace = Duration.seconds(4)
    /// Until what is left is written off; the supervisor waits ten seconds.
    private static let stopWait = Duration.seconds(7)

    /// Asks all running attempts to end, and waits for them with a bound.
    func beginStop() {
        guard phase == .running else { return }
        log.notice("stopping", metadata: ["running": "\(running)"])
        phase = .stopping
        timers.set(.stop, at: now + Self.stopWait)
        for run in runs.values.sorted(by: { $0.executionID < $1.executionID }) {
            if case .running = run.phase { cancel(run, .shutdown) }
        }
        endIfIdle()
    }

    /// Writes off attempts that did not end in time.
    func abandonRunning() {
        for attempt in attempts.values.sorted(by: { $0.key < $1.key }) {
            conclude(
                attempt,
                Conclusion(
                    Outcome(.interrupted, .shutdown), message: "did not end with the system"))
        }
        phase = .ended(0)
    }

    /// Ends the loop once nothing runs.
    func endIfIdle() {
        guard phase == .stopping, running == 0 else { return }
        phase = .ended(0)
    }

    /// Writes what is left and closes the store.
    func finish() {
        flush()
        // Orders are not sent any more; what their claims left is written as well.
        flush()
        do throws(StoreError) {
            try store.close()
        } catch {
            log.error("store did not close", metadata: ["error": "\(error)"])
        }
        // Whoever connects from now on hears at once that nobody is there.
        let layout = configuration.layout
        for path in [layout.busSocket, layout.eventsSocket] { unlink(path) }
        log.notice("stopped")
    }
}
