// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoStore
import FaultyVFS
import SchedulerCore

/// The real store in its model's place: what it says and has is held against the model.
extension World {
    /// A batch comes to the disk, which may fail.
    mutating func commit(_ batch: WriterModel.Batch, into real: RealStore) -> BatchResult {
        var dice = dice(.store, 2)
        if now < writer.failsUntil {
            // Whoever holds the database is a process, which is not there: nothing is written.
            if writer.failure == .busy {
                judge.latestWall = max(judge.latestWall, batch.latest)
                return .failure(StoreTrouble(kind: .busy, message: StoreFailure.busy.words))
            }
            real.fail(writer.failure, &dice)
        } else if real.isFaulty, !isQuiet(now), dice.percent(2) {
            real.failSometimes(&dice)
        }
        let result = write(batch, into: real)
        if case .success = result, real.commits % 32 == 0 { compare(real) }
        return result
    }

    /// Writes a batch and, where the store took it, does the same with the model.
    private mutating func write(_ batch: WriterModel.Batch, into real: RealStore) -> BatchResult {
        let failed = real.faults
        let tooLarge = batch.changes.map { $0.number.map { refuses($0) } ?? false }
        let sent = zip(batch.changes, tooLarge).map { $1 ? $0.tooLarge : $0 }
        let result = real.write(sent, latest: batch.latest, mayLackRows: mayLackRows)
        faults += real.faults - failed
        guard case .success(let results) = result, results.count == sent.count else {
            if real.planted == .errorToldAsSuccess {
                return .success(apply(batch.changes, batch.latest))
            }
            judge.latestWall = max(judge.latestWall, batch.latest)
            return result
        }
        for ((change, isTooLarge), result) in zip(zip(batch.changes, tooLarge), results) {
            switch result {
            case .refused(let words):
                if !isTooLarge { judge.violate(.store, "\(change.words) is refused: \(words)") }
            case .outcome(let outcome):
                judgeBefore(change)
                let expected = store.apply(change)
                judgeAfter(change, expected)
                note(real, change)
                if isTooLarge || outcome != expected {
                    judge.violate(
                        .store, "\(change.words) came to \(outcome), in the model to \(expected)")
                }
            }
        }
        judgeBatch(batch.latest, mayLackRows: mayLackRows)
        return result
    }

    private func note(_ real: RealStore, _ change: StoreChange) {
        switch change {
        case .claim(let claim): real.touched.insert(claim.executionID)
        case .retry(let execution, _), .endWaiting(let execution, _, _):
            real.touched.insert(execution)
        case .endAttempt(let end):
            if let attempt = store.attempts[end.attempt.value] {
                real.touched.insert(attempt.execution)
            }
        default: break
        }
    }

    // MARK: - Starts and ends

    /// A scheduler starts: what it finds is what was told, and of what was told as failed at most
    /// the last batch, where nothing could be written after it.
    mutating func open(_ real: RealStore) {
        var dice = dice(.store, 4)
        let failed = real.faults
        if real.isFaulty, !isQuiet(now), dice.percent(20) { real.failSometimes(&dice) }
        do throws(StoreError) {
            // A scheduler that cannot open its store ends, and is started again.
            do throws(StoreError) { try real.open() } catch { note("store: \(error)") }
            real.disk.heal()
            try real.open()
            guard let reads = real.store else { return }
            real.image = try StoreImage(reads)
        } catch {
            judge.violate(.store, "the store does not open: \(error)")
        }
        faults += real.faults - failed
        if real.image != StoreImage(store) { adoptGhost(of: real) }
        real.ghosts = []
        compare(real)
    }

    private mutating func adoptGhost(of real: RealStore) {
        let found = real.ghosts.first { ghost in
            var model = store
            for change in ghost.changes where change.number.map({ !refusesAlways($0) }) ?? true {
                _ = model.apply(change)
            }
            return StoreImage(model) == real.image
        }
        // Otherwise the comparison says what is wrong.
        guard let found else { return }
        note("a batch that was told as failed is there after all")
        for number in found.changes.compactMap(\.number) { judge.refusedNumbers.remove(number) }
        _ = apply(found.changes, found.latest, mayLackRows: found.mayLackRows)
    }

    private func refusesAlways(_ number: Int) -> Bool { writer.tooLarge.contains(number) }

    /// The scheduler is gone, in whatever way.
    mutating func crash(_ real: RealStore, isKept: Bool, isReboot: Bool, isClean: Bool) {
        var dice = dice(.store, 3)
        for batch in writer.batches where batch.result == nil {
            if !isKept {
                guard !isClean, real.isFaulty, dice.percent(60) else { break }
                // In the midst of it.
                real.fail(.io, &dice)
            }
            guard case .success = write(batch, into: real) else { break }
        }
        if isClean {
            real.close()
        } else if isReboot {
            real.losePower(seed: dice.percent(50) ? dice.next() : nil)
        } else {
            real.loseProcess()
        }
    }

    /// The episode is over: what is there is sound, and is so after the next start.
    mutating func finish(_ real: RealStore) {
        guard judge.violation == nil else { return }
        if real.store != nil {
            compare(real)
            real.loseProcess()
        }
        do throws(StoreError) {
            try real.open()
            guard let reads = real.store else { return }
            real.image = try StoreImage(reads)
            if real.image != StoreImage(store) { adoptGhost(of: real) }
            if let problem = try reads.integrityProblems().first {
                judge.violate(.store, "the database is not sound: \(problem)")
            }
            guard case .intact = try reads.verifyAudit() else {
                return judge.violate(.store, "the chain of the audit log is broken")
            }
        } catch {
            judge.violate(.store, "the store cannot be read: \(error)")
        }
        compare(real)
        real.close()
    }

    /// Holds what is there against the model.
    private mutating func compare(_ real: RealStore) {
        guard let reads = real.store, judge.violation == nil else { return }
        do throws(StoreError) {
            let (image, model) = (try StoreImage(reads), StoreImage(store))
            if image != model {
                judge.violate(
                    .store, "the store is not its model: \(image.difference(from: model))")
            }
            for id in real.touched.sorted() {
                let (row, model) = (try reads.execution(id), store.executions[id])
                // A claim that did not apply makes none.
                if row == nil, model == nil { continue }
                guard let row, let model else {
                    judge.violate(
                        .store, "execution \(id) is in the \(row == nil ? "model" : "store") alone")
                    continue
                }
                let expected = store.stored(id)
                if row.state != expected?.state || row.attempts != expected?.attempts
                    || row.retryAt != expected?.retryAt || row.taskUID != expected?.taskUID
                    || row.outcome != model.outcome?.kind.rawValue
                {
                    judge.violate(.store, "execution \(id) is \(row), in the model \(model)")
                }
            }
            real.touched = []
        } catch {
            judge.violate(.store, "the store cannot be read: \(error)")
        }
    }
}

extension StoreChange {
    /// The same with a definition that is too large for the store.
    fileprivate var tooLarge: StoreChange {
        let config = [UInt8](repeating: 0x20, count: StoredTask.maximumConfigBytes + 1)
        switch self {
        case .createTask(var task):
            task.config = config
            return .createTask(task)
        case .updateTask(var task):
            task.config = config
            return .updateTask(task)
        default: return self
        }
    }
}
