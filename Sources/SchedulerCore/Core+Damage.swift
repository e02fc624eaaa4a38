// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore

/// The search for those of some writes that need a damaged page: halves of halves, in their order.
struct DamageSearch: Sendable {
    /// How many of the writes at the head of what is pending it has yet to try.
    var left: Int
    /// How many of them leave together.
    var portion: Int
    /// What failed alone, and what is about the same and was to be written after it.
    var failed: [Ledger.Write] = []
    /// What these are about.
    var held: Set<String> = []
    /// Tasks of whose instants these have rows: no next run of them may be written that passes one.
    var rowless: Set<String> = []
    /// What waits for rows that failed once more, until these are given up.
    var putOff: [Ledger.Write] = []
    /// What these are about.
    var putOffSubjects: Set<String> = []
    /// Whether the store took any: what failed alone then is not the store's whole fault.
    var hasWritten = false
    /// Whether these failed alone before, and others were written since.
    var isSecond = false
    /// What the store said last.
    var trouble: StoreTrouble
    /// When it began, by the boot clock.
    let begunAt: Duration

    /// Has a write wait for the search's end, and with it what comes after it of the same.
    mutating func hold(_ write: Ledger.Write) {
        failed.append(write)
        if !write.isAside { held.formUnion(write.subjects) }
        rowless.formUnion(write.tasksOfRows)
    }

    /// Whether a write would pass an instant whose row has yet to be written, or builds upon one that
    /// would.
    func isEarly(_ write: Ledger.Write) -> Bool {
        !rowless.isDisjoint(with: write.tasksOfPlans)
            || !putOffSubjects.isDisjoint(with: write.subjects)
    }

    /// Has a write wait for rows before it.
    mutating func wait(_ write: Ledger.Write) {
        // The rows themselves are tried once more before it.
        guard isSecond else { return hold(write) }
        putOff.append(write)
        putOffSubjects.formUnion(write.subjects)
    }
}

/// A damaged page stops those who need it and nobody else.
///
/// A batch is written all or not at all, and what has happened is kept until it can be written: one
/// change that never can would hold up all others, claims among them. So a batch that meets damage
/// is tried in parts, and what failed alone while others were written is given up, and told.
extension SchedulerCore {
    /// What of the store could not be read at the start, and what could not be written since.
    package var storeDamages: [String] {
        let more = lost.count - lost.words.count
        return damages + lost.words + (more > 0 ? ["and \(more) further changes"] : [])
    }

    /// Takes what leaves next of what is pending; in a search that may be nothing.
    mutating func takePending() -> [Ledger.Write] {
        guard var search = ledger.search else {
            defer { ledger.pending = [] }
            return ledger.pending
        }
        var writes: [Ledger.Write] = []
        var count = 0
        for write in ledger.pending.prefix(search.left) where writes.count < search.portion {
            let isHeld = !write.subjects.isDisjoint(with: search.held)
            let isEarly = search.isEarly(write) && !planted(.rowsNotAwaited)
            if isHeld || isEarly {
                // What is before it is tried before it, or it would come before what fails of that.
                guard writes.isEmpty else { break }
                if isHeld { search.hold(write) } else { search.wait(write) }
            } else {
                writes.append(write)
            }
            count += 1
        }
        ledger.pending.removeFirst(count)
        search.left -= count
        ledger.search = search
        return writes
    }

    /// A batch failed; false where that has nothing to do with a damaged page that is others' no
    /// more than its own.
    mutating func search(_ writes: [Ledger.Write], _ trouble: StoreTrouble) -> Bool {
        guard trouble.kind == .damaged else {
            // All of it waits, in its order.
            guard let search = ledger.search else { return false }
            ledger.search = nil
            failed(search.failed + search.putOff + writes, trouble)
            return true
        }
        if writes.count > 1 {
            let half = max(1, writes.count / 2)
            if ledger.search == nil {
                ledger.search = DamageSearch(
                    left: 0, portion: half, trouble: trouble, begunAt: now.boot)
            }
            ledger.search?.portion = half
            ledger.search?.left += writes.count
            ledger.pending = writes + ledger.pending
            hurry()
            return true
        }
        guard ledger.search != nil else { return false }
        ledger.search?.trouble = trouble
        for write in writes { ledger.search?.hold(write) }
        searchOn()
        return true
    }

    /// Some were tried: goes on with the next, or ends the search.
    mutating func searchOn() {
        guard let search = ledger.search else { return }
        if search.hasWritten, !search.isSecond { ledger.search?.portion = search.portion * 2 }
        guard search.left <= 0 || ledger.pending.isEmpty else { return hurry() }
        ledger.search = nil
        if search.hasWritten, search.isSecond {
            ledger.pending = search.putOff + ledger.pending
            for write in search.failed { giveUp(write, search.trouble) }
            if !search.failed.isEmpty { assessHealth() }
            if !ledger.pending.isEmpty { hurry() }
        } else if search.hasWritten, !search.failed.isEmpty {
            tryAgain(search)
        } else if !search.failed.isEmpty {
            failed(search.failed, search.trouble)
            // A search through much takes long: most of the time is others'.
            let pause = (now.boot - search.begunAt) * 10
            bootTimers.set(.store, at: now.boot + max(settings.storeRetryInterval, pause))
        }
    }

    /// Others were written since these failed: what fails once more is not to be written, and what
    /// does not came as the store was mended.
    private mutating func tryAgain(_ search: DamageSearch) {
        ledger.pending = search.failed + ledger.pending
        ledger.search = DamageSearch(
            left: search.failed.count, portion: 1, hasWritten: true, isSecond: true,
            trouble: search.trouble, begunAt: search.begunAt)
        hurry()
    }

    private mutating func hurry() {
        ledger.isUrgent = true
        ledger.mustTry = true
    }

    /// A write alone needs a damaged page: it can never be written, and what it stands for ends.
    private mutating func giveUp(_ write: Ledger.Write, _ trouble: StoreTrouble) {
        let words = "\(write.words) cannot be written"
        if write.isOutput {
            ledger.leftOut += write.changes.count
        } else {
            log(
                .error, "a change cannot be written", ["what": write.words, "why": trouble.message])
        }
        if !lost.words.contains(words) {
            lost.count += 1
            if lost.words.count < settings.maximumLostTold { lost.words.append(words) }
        }
        let refusal = Self.refusal(trouble)
        for cancel in write.cancels { refuseCancel(cancel.request, refusal) }
        if case .recorded(let id) = write.then, executions[id]?.asked == nil {
            // It waits all the same.
            return
        }
        undo(write.then, refusal)
        if let id = write.execution, write.changes.contains(where: \.movesAttempt) {
            lose(id, refusal)
        }
    }

    /// The store has an attempt of it as running still, which the next start will find interrupted:
    /// until then it is out of reach.
    private mutating func lose(_ id: String, _ refusal: Refusal) {
        switch executions[id]?.state {
        case .waiting, .queued, .ending:
            guard move(id, .lost) else { return }
            refuseCancels(of: id, refusal)
            forget(id)
        // What follows was to be written after this, and falls as this did.
        case .claiming, .withdrawing, .running, .over, nil: break
        }
    }
}

extension StoreChange {
    /// Whether it says what became of an attempt.
    fileprivate var movesAttempt: Bool {
        switch self {
        case .endAttempt, .unclaim: true
        default: false
        }
    }
}

extension Ledger.Write {
    /// What it is about that later writes can be about as well: executions, and tasks' rows.
    fileprivate var subjects: Set<String> {
        var subjects = Set(execution.map { [$0] } ?? [])
        for change in changes {
            switch change {
            case .createTask(let task), .updateTask(let task): subjects.insert(task.key.uid)
            case .deleteTask(let key, _), .setNextRun(let key, _): subjects.insert(key.uid)
            case .claim(let claim): subjects.insert(claim.executionID)
            case .retry(let execution, _), .endWaiting(let execution, _, _),
                .deadLetter(let execution, _, _), .deferral(_, _, _, _, let execution, _):
                subjects.insert(execution)
            case .log(let line): subjects.insert(line.executionID)
            case .unclaim, .attemptConfined, .endAttempt, .occurrence, .resolveDeadLetter,
                .purgeDeadLetter, .purgeDeadLetters, .noteBoot, .audit:
                break
            }
        }
        return subjects
    }

    /// Tasks of whose instants it writes rows, by their identities.
    fileprivate var tasksOfRows: Set<String> {
        var tasks: Set<String> = []
        for change in changes {
            switch change {
            case .claim(let claim) where !claim.trigger.isRequested: tasks.insert(claim.task.uid)
            case .deferral(let key, _, _, let trigger, _, _) where !trigger.isRequested:
                tasks.insert(key.uid)
            case .occurrence(let key, _, _, _, _): tasks.insert(key.uid)
            default: break
            }
        }
        return tasks
    }

    /// Tasks whose next runs it moves, by their identities.
    fileprivate var tasksOfPlans: Set<String> {
        var tasks: Set<String> = []
        for change in changes {
            switch change {
            case .updateTask(let task): tasks.insert(task.key.uid)
            case .setNextRun(let key, _): tasks.insert(key.uid)
            default: break
            }
        }
        return tasks
    }

    /// Whether nothing builds upon it.
    fileprivate var isAside: Bool {
        changes.allSatisfy {
            switch $0 {
            case .log, .attemptConfined: true
            default: false
            }
        }
    }

    /// Whether it is output and nothing else.
    fileprivate var isOutput: Bool {
        changes.allSatisfy { if case .log = $0 { true } else { false } }
    }

    /// What it writes, in words.
    fileprivate var words: String {
        guard let first = changes.first else { return "nothing" }
        return changes.count == 1 ? first.words : "\(first.words), with \(changes.count - 1) more"
    }
}

extension StoreChange {
    /// What it is about, in words.
    fileprivate var words: String {
        switch self {
        case .createTask(let task), .updateTask(let task): "the task \(task.id)"
        case .deleteTask(let key, _): "the removal of the task \(key.id)"
        case .setNextRun(let key, _): "the next run of \(key.id)"
        case .claim(let claim): "the start of \(claim.task.id) as \(claim.executionID)"
        case .retry(let execution, _): "the next attempt of execution \(execution)"
        case .unclaim(let attempt, _, _): "that attempt \(attempt.value) never began"
        case .attemptConfined(let attempt, _): "the layers of attempt \(attempt.value)"
        case .endAttempt(let end):
            "the end of attempt \(end.attempt.value) (\(SchedulerCore.words(end.outcome)))"
        case .endWaiting(let execution, _, _): "the end of execution \(execution)"
        case .log(let line): "output of execution \(line.executionID)"
        case .occurrence(let key, let at, _, _, _), .deferral(let key, let at, _, _, _, _):
            "the instant \(at) of \(key.id)"
        case .deadLetter(let execution, _, _): "the dead letter of execution \(execution)"
        case .resolveDeadLetter(let id, _, _), .purgeDeadLetter(let id): "dead letter \(id)"
        case .purgeDeadLetters: "the dead letters"
        case .noteBoot: "this boot's id"
        case .audit(let entry): "an entry of the audit log (\(entry.action))"
        }
    }
}
