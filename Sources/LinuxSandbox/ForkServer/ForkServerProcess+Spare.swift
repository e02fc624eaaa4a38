// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux

/// A task process made ahead: it passed every layer and waits for its order.
///
/// All attempts of a class with a user namespace are confined alike, so that what is the same for
/// each of them need not wait for an order. In other classes a type's declared capabilities differ,
/// and a waiting process would be in sight of the class's tasks: there none is made.
extension ForkServerProcess {
    /// From an attempt's start or end to the making of the next spare, so that neither short
    /// attempts nor a queue of them are held up by it.
    static let sparePause: UInt64 = 3_000_000

    /// Puts the making of a spare on the clock, where the class has spares.
    func planSpare(after pause: UInt64) {
        guard plan.hasUserNamespace, !spareLosses.areTooMany, generation > 0,
            !running.contains(where: { $0?.isSpare == true })
        else { return }
        spareDue = monotonicNanoseconds() + pause
    }

    /// Makes a spare where one is due and a slot is free.
    func makeSpare(task: (Int32) -> Never) {
        // While an answer is open, mounts may be changing.
        guard let due = spareDue, due <= monotonicNanoseconds(), !grants.isAsked else { return }
        spareDue = nil
        guard let slot = freeSlot() else { return }
        do throws(Refusal) {
            running[slot] = try make(nil, slot: slot, taskSocket: -1, task: task)
        } catch {
            // The next attempt is refused for the same reason, and says so.
            spareLosses.lost()
        }
    }

    /// Gives an order to a spare: it gets the task's socket, and the worker is told what held.
    ///
    /// False where it died meanwhile: then it stays a spare, to be reaped as one.
    func begin(
        _ order: aico_fork_order, with spare: RunningAttempt, taskSocket: Int32, lack: GrantLack?
    ) -> Bool {
        guard let setup = spare.prepared else { return false }
        let startedAt = monotonicNanoseconds()
        guard spare.sendOrder(taskSocket: taskSocket) else { return false }
        spare.take(order.attempt, at: startedAt)
        spareLosses.attemptHeld()
        var report = aico_fork_report()
        report.kind = AICO_REPORT_CONFINED.rawValue
        report.attempt = order.attempt
        report.setup = setup
        lack?.note(in: &report.setup)
        self.report(report)
        spare.closeSetup()
        planSpare(after: Self.sparePause)
        return true
    }
}
