// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// Before an attempt begins, root's process looks at what its class is granted of the host; what
/// changed is in the class's mount namespace then, of which the attempt gets a copy.
extension ForkServerProcess {
    /// Takes an order on; it begins with the answer to a look that begins after it came.
    func takeOn(_ order: aico_fork_order, taskSocket: consuming Descriptor) {
        waiting.append(
            WaitingOrder(order, taskSocket: taskSocket, look: grants.number + 1))
        askForGrants()
    }

    /// Asks for all orders that wait, where no answer is due.
    func askForGrants() {
        guard !grants.isDue else { return }
        do throws(Errno) {
            try grants.ask()
        } catch {
            // Full: its keeper has not taken the orders of before. Without it the class is launched
            // anew.
            if error != .wouldBlock { _exit(Exit.keeperGone) }
        }
    }

    /// Begins what waits for the answer that came.
    func takeGrants(task: (Int32) -> Never) {
        do throws(Errno) {
            guard try grants.take() else { return }
        } catch {
            _exit(Exit.keeperGone)
        }
        let answer = grants.current
        if answer.generation != generation {
            generation = answer.generation
            prepared.renewRules(answer)
            // What was made ahead has the mounts of before.
            for case .some(let attempt) in running where attempt.isStandby { dropStandby(attempt) }
            planStandby(after: Self.standbyPause)
        }
        let orders = waiting.filter { $0.look <= grants.number }
        waiting.removeAll { $0.look <= grants.number }
        for next in orders {
            let lack = GrantLack(answer)
            if let lack, lack.isUnknown, next.order.lenient == 0 {
                refuse(
                    next.order.attempt, .mounts, errno: lack.errno, step: lack.step,
                    index: lack.index)
            } else {
                start(next.order, taskSocket: next.taskSocket.number, lack: lack, task: task)
            }
        }
        // What came while the one before was looking.
        if !waiting.isEmpty { askForGrants() }
    }

    /// Ends the wait of what waited too long: it is refused, naming the path that gives no answer. The
    /// canary, which uses no grant, begins without: its class would be out of service for good.
    func endWaits(task: (Int32) -> Never) {
        let now = monotonicNanoseconds()
        let overdue = waiting.filter { $0.deadline <= now }
        guard !overdue.isEmpty else { return }
        waiting.removeAll { $0.deadline <= now }
        for next in overdue {
            if next.order.lenient != 0 {
                start(next.order, taskSocket: next.taskSocket.number, lack: nil, task: task)
                continue
            }
            refuse(
                next.order.attempt, .mounts, errno: ETIMEDOUT, step: .grantSilent,
                index: grants.lookedAt ?? plan.mounts.count)
        }
        // The keeper may have been killed with the order that it had.
        if !waiting.isEmpty { askForGrants() }
    }

    private func dropStandby(_ standby: RunningAttempt) {
        standby.state = .stopped
        standby.closeSetup()
        standby.kill()
        standbyLosses.attemptHeld()
    }
}

/// What has to be there and is not shown.
struct GrantLack {
    var errno: Int32
    var step: aico_step
    var index: Int
    /// Whether nobody knows what the class's mounts show; else attempts begin, and find nothing there.
    var isUnknown = false

    /// Nil where all that has to be there is shown.
    init?(_ answer: aico_grant_answer) {
        switch aico_grant_refusal(rawValue: answer.refusal) {
        case AICO_GRANT_SHOWN: return nil
        case AICO_GRANT_UNKNOWN:
            step = .grant
            isUnknown = true
        case AICO_GRANT_LINK: step = .grantLink
        case AICO_GRANT_CEILING: step = .grantCeiling
        default: step = .grant
        }
        errno = answer.error
        index = Int(answer.index)
    }

    /// Adds it to what an attempt says of its layers: its mounts hold, and are not whole.
    func note(in setup: inout aico_setup_report) {
        let place = Int(Layer.mounts.rawValue)
        setup.missing |= 1 << UInt32(place)
        withUnsafeMutableBytes(of: &setup.missing_error) {
            $0.storeBytes(of: errno, toByteOffset: place * 4, as: Int32.self)
        }
        withUnsafeMutableBytes(of: &setup.missing_step) {
            $0.storeBytes(of: UInt32(step.rawValue), toByteOffset: place * 4, as: UInt32.self)
        }
        withUnsafeMutableBytes(of: &setup.missing_index) {
            $0.storeBytes(of: UInt32(index), toByteOffset: place * 4, as: UInt32.self)
        }
    }
}
