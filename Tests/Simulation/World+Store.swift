// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import SchedulerCore

extension World {
    /// The writer takes a batch; it is on the disk some time later, or is not.
    mutating func submit(_ token: UInt64, _ changes: [StoreChange]) {
        judgeWrite(changes)
        writer.batches.append(
            WriterModel.Batch(token: token, changes: changes, latest: judge.latestWall))
        judge.latestWall = wall
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
        if let real {
            writer.batches[index].result = commit(writer.batches[index], into: real)
        } else if now < writer.failsUntil {
            judge.latestWall = max(judge.latestWall, writer.batches[index].latest)
            writer.batches[index].result = .failure(
                StoreTrouble(kind: writer.failure, message: writer.failure.words))
        } else {
            writer.batches[index].result = .success(apply(changes, writer.batches[index].latest))
        }
        schedule(
            .answer(life: life, token: token), in: Span(Int64(20 + dice.below(500))))
    }

    /// Writes a batch, all of it, and looks at what it leaves behind.
    mutating func apply(_ changes: [StoreChange], _ latest: Instant) -> [ChangeResult] {
        var results: [ChangeResult] = []
        results.reserveCapacity(changes.count)
        for change in changes {
            if let number = change.number, refuses(number) {
                results.append(.refused("it is too large"))
                continue
            }
            judgeBefore(change)
            let outcome = store.apply(change)
            judgeAfter(change, outcome)
            results.append(.outcome(outcome))
        }
        judgeBatch(latest)
        return results
    }
}

extension World {
    /// Whether the store refuses a definition alone, as one that is too large: each time it comes.
    mutating func refuses(_ number: Int) -> Bool {
        if writer.refusesNext, !judge.usedNumbers.contains(number) {
            writer.refusesNext = false
            writer.tooLarge.insert(number)
        }
        return writer.tooLarge.contains(number)
    }
}

extension StoreChange {
    /// The number of the definition that it writes.
    var number: Int? {
        switch self {
        case .createTask(let task), .updateTask(let task): TaskSpec.number(in: task.policies)
        default: nil
        }
    }
}
