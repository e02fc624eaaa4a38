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
        // What waits behind a search may be of before a step back of the clock.
        if core.waitingChanges == changes.count { judge.latestWall = wall }
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
        } else if now < writer.damagedUntil, changes.contains(where: needsDamagedPage) {
            judge.latestWall = max(judge.latestWall, writer.batches[index].latest)
            writer.batches[index].result = .failure(
                StoreTrouble(kind: .damaged, message: StoreFailure.damaged.words))
        } else {
            writer.batches[index].result = .success(apply(changes, writer.batches[index].latest))
        }
        schedule(
            .answer(life: life, token: token), in: Span(Int64(20 + dice.below(500))))
    }

    /// Writes a batch, all of it, and looks at what it leaves behind.
    mutating func apply(
        _ changes: [StoreChange], _ latest: Instant, mayLackRows: Bool? = nil
    ) -> [ChangeResult] {
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
        judgeBatch(latest, mayLackRows: mayLackRows ?? self.mayLackRows)
        return results
    }
}

extension World {
    /// Whether a change needs a row of the task whose page is damaged.
    private func needsDamagedPage(_ change: StoreChange) -> Bool {
        let name: TaskID?
        switch change {
        case .createTask(let task), .updateTask(let task): name = task.id
        case .deleteTask(let key, _), .setNextRun(let key, _), .occurrence(let key, _, _, _, _),
            .deferral(let key, _, _, _, _, _):
            name = key.id
        case .claim(let claim): name = claim.task.id
        case .retry(let execution, _), .endWaiting(let execution, _, _),
            .deadLetter(let execution, _, _):
            name = store.executions[execution]?.task.id
        case .log(let line): name = store.executions[line.executionID]?.task.id
        case .unclaim(let attempt, _, _), .attemptConfined(let attempt, _):
            name = owner(of: attempt)
        case .endAttempt(let end): name = owner(of: end.attempt)
        case .resolveDeadLetter(let id, _, _), .purgeDeadLetter(let id):
            name = store.letters[id].flatMap { try? TaskID($0.taskID) }
        case .purgeDeadLetters, .noteBoot, .audit: name = nil
        }
        return name != nil && name == writer.damaged
    }

    private func owner(of attempt: AttemptKey) -> TaskID? {
        store.attempts[attempt.value].flatMap { store.executions[$0.execution]?.task.id }
    }

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
