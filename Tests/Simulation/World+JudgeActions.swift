// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import SchedulerCore

/// Checks of orders, reports, replies and events.
extension World {
    mutating func judgeOrder(_ order: Order, _ workerID: WorkerID) {
        guard case .run(let order) = order, order.taskType != workerID.taskClass.canaryType else {
            return
        }
        guard let attempt = store.attempts[order.attempt.value], attempt.isRunning,
            attempt.execution == order.executionID, attempt.number == order.attemptNumber,
            let row = store.executions[order.executionID], row.plannedAt == order.occurrence
        else {
            return judge.violate(
                .orders, "the order of attempt \(order.attempt.value) is not what the store says")
        }
        judge.ordered.insert(order.attempt.value)
        if judge.cancelled.contains(order.executionID) {
            judge.violate(
                .answered, "\(row.task) runs as \(order.executionID), which was cancelled")
        }
        // What waited for its instant as the clock was set back leaves at once.
        let begins = max(wall, judge.letGoUntil)
        if row.trigger == .schedule, order.occurrence > begins {
            let moment = wall
            judge.violate(
                .beforeInstant, "\(row.task) starts at \(moment), before \(row.plannedAt)")
        }
        if core.settings.typeWorkers[order.taskType] != workerID {
            judge.violate(.orders, "worker \(workerID) is sent a \(order.taskType)")
        }
        let number = TaskSpec.number(in: order.config)
        let isOwn = judge.history[row.task.uid]?.contains(number) == true
        if order.taskID != row.task.id.text || !isOwn
            || order.taskType != scenario.specs[number].type
        {
            judge.violate(
                .identity, "\(row.task) runs #\(number), which another task of its name is")
        }
    }

    /// A worker begins an attempt.
    mutating func judgeBegin(_ order: AttemptOrder, _ workerID: WorkerID) {
        let settings = core.settings
        let own = workers[workerID.number]
        let all = workers.reduce(0) { $0 + $1.running.count }
        if all >= settings.maximumConcurrency {
            judge.violate(.places, "\(all + 1) run, \(settings.maximumConcurrency) may")
        }
        let taskClass = workerID.taskClass
        let ofClass = workers.filter { $0.workerID.taskClass == taskClass }.flatMap(\.running)
        if let limit = settings.classConcurrency[taskClass], ofClass.count >= limit {
            judge.violate(
                .places, "\(ofClass.count + 1) of class \(taskClass.name) run, \(limit) may")
        }
        if ofClass.count >= own.capacity {
            judge.violate(
                .places,
                "\(ofClass.count + 1) of class \(taskClass.name) run, and worker \(workerID) "
                    + "has \(own.capacity) places")
        }
        for key in ofClass {
            guard let other = runs[key], !other.isOver, other.order.taskID == order.taskID else {
                continue
            }
            let mayOverlap = [other.order.executionID, order.executionID].contains { id in
                (store.executions[id].flatMap { judge.history[$0.task.uid] } ?? []).contains {
                    scenario.specs[$0].policies.overlap == .allow
                }
            }
            let isStray =
                judge.strays.contains(other.order.executionID)
                || judge.strays.contains(order.executionID)
            if !mayOverlap, !isStray {
                judge.violate(
                    .overlap,
                    "\(order.taskID) runs as \(other.order.executionID) and as "
                        + order.executionID)
            }
        }
    }

    mutating func judgeReport(_ delivery: Delivery, _ before: WorkerState, _ workerID: WorkerID) {
        guard delivery.isDeviating, before == .ready else { return }
        if core.worker(workerID).isReady {
            judge.violate(
                .protocolKept, "worker \(workerID.label) broke the protocol and is still heard")
        }
    }

    /// A request is heard.
    mutating func judgeRequest(_ call: Call) {
        switch call {
        case .delete(let name), .cancel(let name, _), .setEnabled(let name, _):
            judge.touched[name] = now
        case .update(let number): judge.touched[scenario.specs[number].name] = now
        case .cancelExecution:
            for name in Scenario.names { judge.touched[name] = now }
            for number in scenario.builtIns { judge.touched[scenario.specs[number].name] = now }
        case .create, .run, .retryLetter, .purgeLetter, .purgeLetters, .stop: break
        }
    }

    mutating func judgeReply(_ id: RequestID, _ reply: Reply) {
        guard let asked = judge.asked.removeValue(forKey: id), asked.isHeard else {
            return judge.violate(.oneReply, "request \(id) has a second reply: \(reply)")
        }
        judgeRequest(asked.call)
        if case .refused = reply {
            guard let number = asked.number else { return }
            judge.refusedNumbers.insert(number)
            if judge.usedNumbers.contains(number) {
                judge.violate(.refused, "#\(number) was refused, and is in the store")
            }
            return
        }
        var isSo = false
        switch (asked.call, reply) {
        case (.create(let number), .task(let key, _)), (.update(let number), .task(let key, _)):
            isSo = judge.history[key.uid]?.contains(number) == true
            judge.expected[key.uid] = scenario.specs[number].isEnabled
        case (.setEnabled(_, let isEnabled), .task(let key, _)):
            isSo = judge.history[key.uid] != nil
            judge.expected[key.uid] = isEnabled
        case (.delete(let name), .deleted): isSo = store.rows[name]?.isDeleted == true
        case (.run, .execution(let execution, _, _)),
            (.retryLetter, .execution(let execution, _, _)):
            isSo = judge.requested.contains(execution)
        case (.purgeLetter, .purged):
            if case .purgeDeadLetter(let letter) = asked.pending.request {
                isSo = store.letters[letter] == nil
            }
        case (.purgeLetters, .purged):
            // Later ones may have come meanwhile.
            isSo = !store.letters.keys.contains { $0 <= asked.lastLetter }
        case (.cancel, .cancelled(let ids, _)), (.cancelExecution, .cancelled(let ids, _)):
            isSo = ids.allSatisfy(isOver)
            judge.cancelled.formUnion(ids)
        case (.stop, .stopping): isSo = true
        default: break
        }
        if !isSo {
            judge.violate(.answered, "request \(id) \(asked.call) was answered \(reply)")
        }
    }

    /// Whether nothing in the store has an execution run, now or at a later start.
    private func isOver(_ id: String) -> Bool {
        if let row = store.executions[id] { return row.state == .ended }
        return !store.deferred.contains { store.occurrences[$0]?.executionID == id }
    }

    mutating func judgePublished(_ published: Published) {
        let isSo: Bool
        switch published {
        case .started(let subject, _, _, _):
            let attempt = attempt(of: subject)
            isSo = attempt.map { $0.isConfined || !$0.isRunning } ?? true
        case .finished(let subject, _, _, _, _):
            isSo = store.executions[subject.execution]?.state == .ended
        case .retry(let subject, _, _, _): isSo = attempt(of: subject)?.isRunning != true
        case .deadLetter(let subject, _): isSo = store.deadLetters.contains(subject.execution)
        case .deferred(let subject, let at, _), .skipped(let subject, let at, _):
            isSo = judge.namedRows.contains(OccurrenceKey(uid: subject.task.text, at: at))
        case .progress, .log, .health, .worker: isSo = true
        }
        if !isSo { judge.violate(.eventAfterCommit, "\(published) is not in the store") }
    }

    private func attempt(of subject: Published.Subject) -> StoreModel.AttemptRow? {
        guard let key = judge.latestAttempt[subject.execution], let attempt = store.attempts[key],
            Int(attempt.number) == subject.attempt
        else { return nil }
        return attempt
    }

    mutating func judgeEnd(_ status: Int32) {
        judgeStop()
        guard status == 0, core.waitingChanges == 0 else { return }
        if let id = judge.asked.filter({ $0.value.isHeard }).keys.min(), let asked = judge.asked[id]
        {
            judge.violate(.oneReply, "request \(id) \(asked.call) was never answered")
        }
    }

    mutating func judgeStop() {
        guard let begun = judge.stopBegun else { return }
        let bound = core.settings.stopPatience.span + core.settings.stopPatience.span
        let isDone = core.running == 0 && core.waitingChanges == 0 && writer.batches.isEmpty
        if !isDone || !isUp { judge.stopIdleSince = nil }
        if isDone, judge.stopIdleSince == nil { judge.stopIdleSince = judge.turns }
        if let since = judge.stopIdleSince, judge.turns - since > 3, core.stop != .running {
            judge.violate(.stopEnds, "nothing runs or waits any more, and the stop does not end")
        }
        if now - begun > bound + .seconds(5) + judge.excused {
            judge.violate(.stopEnds, "the stop has taken \(now - begun)")
        }
    }
}
