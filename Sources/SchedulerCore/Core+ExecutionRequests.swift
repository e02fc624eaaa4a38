// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import AicoCore

/// A cancel whose answer waits for the ends of what it cancelled to be in the store.
struct CancelInHand: Sendable {
    /// Executions whose claims were on their way, and what these come to is not there yet.
    var left: Set<String>
    /// Whether all else is there.
    var isWritten = false
    let answer: Reply
}

extension SchedulerCore {
    /// Runs a task because somebody asked; refused while it is open already.
    mutating func run(
        _ name: TaskID, _ trigger: ExecutionTrigger, letter: Int64?, _ request: RequestID,
        _ actor: String
    ) {
        guard stop == .running else {
            return refuse(request, .unavailable, "the system is stopping")
        }
        guard let task = tasks[name] else { return refuse(request, unknown: name) }
        let asked = executions.isEmpty ? nil : requested(of: task)
        if let open = task.open.min() ?? asked {
            return refuse(
                request, .conflict, "\(name) \(stands(open))",
                hint: "wait for it, or type: aico scheduler cancel \(name)")
        }
        var execution = Execution(
            id: ids.next(), task: task.key, worker: workerID(of: task), trigger: trigger,
            plannedAt: requestedInstant(of: task), policies: task.policies)
        execution.deadLetter = letter
        execution.asked = request
        tasks[name]?.lastRequested = execution.plannedAt
        if let letter { retriedLetters.insert(letter) }
        enqueue(execution, cause: .requested)
        write([
            audit(
                actor, letter == nil ? "task.run" : "dlq.retry",
                letter.map(String.init) ?? name.text)
        ])
    }

    /// Where an execution that is not over stands, in words that follow its task's name.
    private func stands(_ id: String) -> String {
        guard let execution = executions[id] else { return "runs already as \(id)" }
        switch execution.state {
        case .queued:
            let waits = waits(execution)
            return "is to run already, as \(id), which has waited since \(waits.since) for "
                + "\(waits.reason.rawValue): \(waits.detail)"
        case .waiting:
            let at = execution.retryAt.map { " at \($0)" } ?? ""
            return "is to run already, as \(id), whose next attempt starts\(at)"
        case .claiming, .running, .withdrawing, .ending, .over: return "runs already as \(id)"
        }
    }

    mutating func retry(_ letter: StoredDeadLetter, _ request: RequestID, _ actor: String) {
        guard let id = try? TaskID(letter.taskID), let task = tasks[id],
            task.key.uid == letter.taskUID
        else {
            return refuse(
                request, .conflict, "its task \"\(letter.taskID)\" is gone",
                hint: "type: aico scheduler dlq purge \(letter.id)")
        }
        guard letter.resolvedAt == nil, !retriedLetters.contains(letter.id) else {
            let refusal = Self.sentBack(letter)
            return refuse(request, refusal.code, refusal.message, hint: refusal.hint)
        }
        run(id, .deadLetter, letter: letter.id, request, actor)
    }

    /// The refusal of what is to be done with a dead letter that was sent back.
    package static func sentBack(_ letter: StoredDeadLetter) -> Refusal {
        Refusal(
            .notFound,
            "dead letter \(letter.id) was sent back already"
                + (letter.retriedAs.map { ", as execution \($0)" } ?? ""),
            hint: "where that fails again, another dead letter comes; type: aico scheduler dlq list"
        )
    }

    /// An execution of the task that waits and that somebody asked for.
    private func requested(of task: TaskState) -> String? {
        if let found = byTask[task.key]?.line.people.first { return found }
        guard task.policies.overlap == .allow else { return nil }
        return byTask[task.key]?.requested.filter { executions[$0]?.state == .queued }.min()
    }

    /// An instant that no other request of the task has, and none of a schedule's whole seconds.
    private func requestedInstant(of task: TaskState) -> Instant {
        var instant = now.wall
        if let last = task.lastRequested, instant <= last { instant = last + .microseconds(1) }
        if instant.microseconds % 1_000_000 == 0 { instant = instant + .microseconds(1) }
        return instant
    }

    // MARK: - Cancel

    mutating func cancel(
        task name: TaskID, _ isNow: Bool, _ request: RequestID, _ actor: String
    ) {
        guard let task = tasks[name] else { return refuse(request, unknown: name) }
        let own = byTask[task.key]?.ids ?? []
        cancel(Array(Set(own).union(ending[name] ?? [])).sorted(), isNow, request, actor)
    }

    mutating func cancel(
        _ ids: [String], _ isNow: Bool, _ request: RequestID, _ actor: String
    ) {
        var changes: [StoreChange] = []
        var withdrawn: [String] = []
        var ended: [String] = []
        var claiming: Set<String> = []
        var told: [Reply.EndingExecution] = []
        for id in ids {
            guard let execution = executions[id] else { continue }
            switch execution.state {
            case .queued where execution.attempts == 0:
                guard move(id, .withdraw) else { continue }
                withdrawn.append(id)
                changes.append(occurrence(execution, .skipped, "cancelled"))
            case .queued, .waiting:
                guard move(id, .withdrawRetry) else { continue }
                withdrawn.append(id)
                changes.append(
                    .endWaiting(
                        execution: id, at: now.wall,
                        ExecutionEnd(outcome: CancelReason.requested.outcome)))
            case .claiming, .running:
                if let until = end(id, .requested, isNow: isNow) {
                    told.append(Reply.EndingExecution(execution: id, until: until))
                } else {
                    ended.append(id)
                    // What its claim comes to is written first.
                    if executions[id] != nil { claiming.insert(id) }
                }
            case .withdrawing, .ending, .over: continue
            }
        }
        guard !withdrawn.isEmpty || !ended.isEmpty || !told.isEmpty else {
            return refuse(
                request, .notFound, "nothing of it runs", hint: "type: aico scheduler list")
        }
        let all = (withdrawn + ended).sorted()
        changes.append(
            audit(actor, "task.cancel", (all + told.map(\.execution)).joined(separator: " ")))
        let answer = Reply.cancelled(all, ending: told)
        if all.isEmpty || planted(.cancelBeforeCommit) {
            // What runs is told to end whether or not the store can note it.
            write(changes)
            return reply(request, answer)
        }
        // With the ends of what was still to leave before it, in this batch at the latest.
        cancels[request] = CancelInHand(left: claiming, answer: answer)
        write(changes, then: .withdrawn(withdrawn, request), isRefusable: !withdrawn.isEmpty)
    }

    /// What was taken back before it ran (again) is over.
    mutating func withdrawn(_ ids: [String], _ request: RequestID) {
        for id in ids {
            guard let execution = executions[id], move(id, .withdrawn) else {
                continue
            }
            let outcome = CancelReason.requested.outcome
            if execution.attempts == 0 {
                actions.append(
                    .publish(
                        .skipped(
                            execution.subject, plannedAt: execution.plannedAt, reason: "cancelled"))
                )
                if let asked = execution.asked {
                    refuse(asked, .conflict, "it was cancelled before it ran")
                }
            } else {
                noteEnd(of: execution, outcome)
                actions.append(.publish(finished(execution, outcome, message: nil, result: nil)))
            }
            forget(id)
        }
        cancels[request]?.isWritten = true
        answerCancel(request)
    }

    /// An execution is over, by what is in the store or on its way there: whoever cancelled it as its
    /// claim was written is told once that is there.
    mutating func tellCancels(of id: String) {
        for request in cancelsWaiting(for: id) {
            if let last = ledger.pending.indices.last {
                ledger.pending[last].cancels.append((id, request))
            } else {
                // Nothing came of its claim.
                cancelled(id, request)
            }
        }
    }

    /// Those who cancelled an execution as its claim was written, which it then could not be.
    mutating func refuseCancels(of id: String, _ refusal: Refusal) {
        for request in cancelsWaiting(for: id) { refuseCancel(request, refusal) }
    }

    private func cancelsWaiting(for id: String) -> [RequestID] {
        cancels.filter { $0.value.left.contains(id) }.keys.sorted()
    }

    /// The end of an execution that was cancelled is in the store.
    mutating func cancelled(_ id: String, _ request: RequestID) {
        cancels[request]?.left.remove(id)
        answerCancel(request)
    }

    private mutating func answerCancel(_ request: RequestID) {
        guard let cancel = cancels[request], cancel.isWritten, cancel.left.isEmpty else { return }
        cancels[request] = nil
        reply(request, cancel.answer)
    }

    /// A cancel could not be written.
    mutating func refuseCancel(_ request: RequestID, _ refusal: Refusal) {
        guard cancels.removeValue(forKey: request) != nil else { return }
        reply(request, .refused(refusal))
    }

    /// What could not be taken back goes on to wait.
    mutating func keep(_ id: String) {
        guard let execution = executions[id], move(id, .keep) else { return }
        if execution.attempts == 0 {
            if execution.recorded == nil { fresh.append(id) }
            place(id)
        } else {
            bootTimers.set(.retry(id), at: execution.retryDue ?? now.boot)
        }
        needsAdmission = true
    }

    /// Tells an execution that runs to end; gives when it is killed, nil where it is over at once.
    @discardableResult
    mutating func end(_ id: String, _ reason: CancelReason, isNow: Bool) -> Instant? {
        guard let execution = executions[id] else { return nil }
        let isSecond = execution.cancelled != nil
        if reason != .shutdown, !isSecond { executions[id]?.cancelled = reason }
        switch execution.state {
        case .queued, .withdrawing, .ending, .over:
            if execution.state == .queued, execution.attempts > 0 { endWaiting(id, reason.outcome) }
            return nil
        case .claiming: return nil
        case .waiting:
            endWaiting(id, reason.outcome)
            return nil
        case .running:
            guard let attempt = execution.attempt else { return nil }
            guard attempt.isSent else {
                if let worker = workerID(of: execution) {
                    withdrawOrder(of: attempt.key, worker)
                }
                if reason == .shutdown {
                    handBack(id, .stopping)
                } else {
                    finish(id, reason.outcome, exit: nil, message: nil, result: nil)
                }
                return nil
            }
            // A second time, it is killed.
            var grace =
                isNow || (isSecond && reason == .requested) ? .zero : execution.policies.grace
            if reason == .shutdown { grace = min(grace, settings.stopGrace) }
            let until = min(attempt.killedAt ?? now.wall + grace, now.wall + grace)
            executions[id]?.attempt?.killedAt = until
            if !planted(.cancelForgotten), let worker = workerID(of: execution) {
                send(.cancel(attempt: attempt.key, reason: reason, grace: grace), to: worker)
            }
            setBackstop(attempt.key, after: grace)
            return until
        }
    }

    /// Ends an execution that waited for its next attempt.
    mutating func endWaiting(_ id: String, _ outcome: Outcome) {
        guard let execution = executions[id] else { return }
        write(
            [
                .endWaiting(
                    execution: id, at: now.wall, ExecutionEnd(outcome: outcome))
            ], publishing: [finished(execution, outcome, message: nil, result: nil)])
        noteEnd(of: execution, outcome)
        forget(id)
    }
}
