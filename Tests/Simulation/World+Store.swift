// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import SchedulerCore

extension World {
    /// The writer takes a batch; it is on the disk some time later, or is not.
    mutating func submit(_ token: UInt64, _ changes: [StoreChange]) {
        judgeWrite(changes)
        writer.batches.append(
            WriterModel.Batch(token: token, changes: changes, submittedAt: now))
        var dice = dice(.store)
        var delay = Span(Int64(500 + dice.below(8000)))
        if now < writer.slowUntil { delay = delay + dice.time(.zero, writer.slowness) }
        schedule(.write(life: life, token: token), in: delay)
    }

    mutating func commit(_ life: Int, _ token: UInt64) {
        guard life == self.life, isUp,
            let index = writer.batches.firstIndex(where: { $0.token == token })
        else { return }
        var dice = dice(.store, 1)
        let changes = writer.batches[index].changes
        if now < writer.failsUntil {
            writer.batches[index].result = .failure(
                StoreTrouble(kind: writer.failure, message: writer.failure.words))
        } else {
            writer.batches[index].result = .success(apply(changes))
        }
        schedule(
            .answer(life: life, token: token), in: Span(Int64(20 + dice.below(500))))
    }

    /// Writes a batch, all of it, and looks at what it leaves behind.
    mutating func apply(_ changes: [StoreChange]) -> [ChangeResult] {
        var results: [ChangeResult] = []
        results.reserveCapacity(changes.count)
        for change in changes {
            if writer.refusesNext, change.isTaskRow {
                writer.refusesNext = false
                results.append(.refused("it is too large"))
                continue
            }
            judgeBefore(change)
            let outcome = store.apply(change)
            judgeAfter(change, outcome)
            results.append(.outcome(outcome))
        }
        judgeBatch()
        return results
    }
}

extension StoreChange {
    fileprivate var isTaskRow: Bool {
        switch self {
        case .createTask, .updateTask: true
        default: false
        }
    }
}
