// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux

/// A task process made ahead: it passed every layer and waits for its order.
///
/// All attempts of a class with a user namespace are confined alike, so that what is the same for
/// each of them need not wait for an order. In other classes a type's declared capabilities differ,
/// and a waiting process would be in sight of the class's tasks: there none is made.
extension ForkServerProcess {
    /// From an attempt's start or end to the making of the next standby, so that neither short
    /// attempts nor a queue of them are held up by it.
    static let standbyPause: UInt64 = 3_000_000

    /// Puts the making of a standby on the clock, where the class has standbys.
    func planStandby(after pause: UInt64) {
        guard plan.hasUserNamespace, !standbyLosses.areTooMany, generation > 0,
            !running.contains(where: { $0?.isStandby == true })
        else { return }
        standbyDue = monotonicNanoseconds() + pause
    }

    /// Makes a standby where one is due and a slot is free.
    func makeStandby(task: (Int32) -> Never) {
        // While an answer is open, mounts may be changing.
        guard let due = standbyDue, due <= monotonicNanoseconds(), !grants.isAsked else { return }
        standbyDue = nil
        guard let slot = freeSlot() else { return }
        do throws(Refusal) {
            running[slot] = try make(nil, slot: slot, taskSocket: -1, task: task)
        } catch {
            // The next attempt is refused for the same reason, and says so.
            standbyLosses.lost()
        }
    }

    /// Gives an order to a standby: it gets the task's socket, and the worker is told what held.
    ///
    /// False where it died meanwhile: then it stays a standby, to be reaped as one.
    func begin(
        _ order: aico_fork_order, with standby: RunningAttempt, taskSocket: Int32, lack: GrantLack?
    ) -> Bool {
        guard let setup = standby.prepared else { return false }
        let startedAt = monotonicNanoseconds()
        guard standby.sendOrder(taskSocket: taskSocket) else { return false }
        standby.take(order.attempt, at: startedAt)
        standbyLosses.attemptHeld()
        var report = aico_fork_report()
        report.kind = AICO_REPORT_CONFINED.rawValue
        report.attempt = order.attempt
        report.setup = setup
        lack?.note(in: &report.setup)
        self.report(report)
        standby.closeSetup()
        planStandby(after: Self.standbyPause)
        return true
    }
}
