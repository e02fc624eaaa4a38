// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import SchedulerCore

extension Event {
    /// What of it counts for the trace's hash.
    func mix(into hash: inout TraceHash) {
        switch self {
        case .start(let facts):
            hash.mix(1)
            hash.mix(facts.tasks.count)
            hash.mix(facts.running.count)
            hash.mix(facts.waiting.count)
            hash.mix(facts.deferred.count)
        case .request(let id, _, _):
            hash.mix(2)
            hash.mix(id)
        case .committed(let token, let result):
            hash.mix(3)
            hash.mix(token)
            if case .failure = result { hash.mix(1) }
        case .report(let workerID, let report):
            hash.mix(4)
            hash.mix(workerID.number)
            hash.mix(report.key ?? 0)
        case .malformedReport: hash.mix(5)
        case .worker(let workerID, _):
            hash.mix(6)
            hash.mix(workerID.number)
        case .unsent: hash.mix(7)
        case .writable: hash.mix(8)
        case .load: hash.mix(9)
        case .clockSet: hash.mix(10)
        case .suspended: hash.mix(11)
        case .audit: hash.mix(12)
        case .timer: hash.mix(13)
        case .stop: hash.mix(14)
        case .supervisorLost: hash.mix(15)
        case .settle(let heard):
            hash.mix(16)
            hash.mix(heard.unread.count)
        case .writeAheadLog: hash.mix(17)
        }
    }

    var words: String {
        switch self {
        case .start(let facts):
            "start: \(facts.tasks.count) tasks, \(facts.running.count) running, "
                + "\(facts.waiting.count) waiting, \(facts.deferred.count) deferred"
        case .request(let id, _, let request): "request \(id) \(request.words)"
        case .committed(let token, let result):
            switch result {
            case .success(let results):
                "committed \(token): \(results.filter { $0 != .outcome(.done) })"
            case .failure(let trouble): "committed \(token): \(trouble.kind)"
            }
        case .settle(let heard):
            heard.unread.isEmpty ? "settle" : "settle, unread: \(heard.unread.map(\.name).sorted())"
        default: "\(self)"
        }
    }
}

extension Request {
    fileprivate var words: String {
        switch self {
        case .create(let task): "create \(task.record.id) \(task.record.words)"
        case .update(let task): "update \(task.record.id) \(task.record.words)"
        default: "\(self)"
        }
    }
}

extension StoredTask {
    fileprivate var words: String {
        "#\(TaskSpec.number(in: config)) \(schedule) \(timezone) uid \(key.uid.prefix(4)) "
            + "enabled \(enabled) next \(nextRun?.iso8601 ?? "never")"
    }
}

extension StoreChange {
    var words: String {
        switch self {
        case .createTask(let task): "create \(task.id) \(task.words)"
        case .updateTask(let task): "update \(task.id) \(task.words)"
        case .setNextRun(let key, let next):
            "next \(key.id)/\(key.uid.prefix(4)) \(next?.iso8601 ?? "never")"
        case .claim(let claim):
            "claim \(claim.task.id)/\(claim.task.uid.prefix(4)) \(claim.plannedAt.iso8601) "
                + "\(claim.trigger) \(claim.executionID.prefix(8))"
        case .unclaim(let attempt, let reason, _): "unclaim attempt \(attempt.value) \(reason)"
        case .endAttempt(let end): "end attempt \(end.attempt.value) \(end.outcome) \(end.next)"
        case .occurrence(let key, let at, let disposition, let reason, _):
            "row \(key.id)/\(key.uid.prefix(4)) \(at.iso8601) \(disposition) \(reason)"
        case .deferral(let key, let at, let reason, let trigger, let execution, _):
            "row \(key.id)/\(key.uid.prefix(4)) \(at.iso8601) deferred \(reason) \(trigger) "
                + "\(execution.prefix(8))"
        case .audit(let entry): "audit \(entry.action)"
        default: "\(self)"
        }
    }
}

extension Action {
    func mix(into hash: inout TraceHash) {
        switch self {
        case .write(let token, let changes):
            hash.mix(1)
            hash.mix(token)
            hash.mix(changes.count)
            for change in changes { change.mix(into: &hash) }
        case .send(let workerID, let order):
            hash.mix(2)
            hash.mix(workerID.number)
            switch order {
            case .run(let order): hash.mix(order.attempt.value)
            case .cancel(let attempt, _, _): hash.mix(attempt.value)
            case .ping(let nonce): hash.mix(nonce)
            }
        case .publish(let published):
            hash.mix(3)
            if case .finished(let subject, _, _, _, _) = published { hash.mix(subject.execution) }
        case .reply(let id, let reply):
            hash.mix(4)
            hash.mix(id)
            switch reply {
            case .execution(let id, _, _): hash.mix(id)
            case .refused(let refusal): hash.mix(refusal.code.rawValue)
            case .task, .deleted, .cancelled, .purged, .stopping: break
            }
        case .launchWorker: hash.mix(5)
        case .killWorker: hash.mix(6)
        case .stopSystem: hash.mix(7)
        case .log: hash.mix(8)
        case .measured(let latency):
            hash.mix(9)
            hash.mix(latency.span.microseconds)
        case .end(let status):
            hash.mix(10)
            hash.mix(Int(status))
        }
    }

    var words: String {
        switch self {
        case .write(let token, let changes):
            "write \(token): \(changes.map(\.words).joined(separator: "; "))"
        case .send(let workerID, .run(let order)):
            "send \(workerID.label) run \(order.attempt.value) \(order.taskID) "
                + "\(order.executionID.prefix(8)) attempt \(order.attemptNumber)"
        default: "\(self)"
        }
    }
}

extension StoreChange {
    fileprivate func mix(into hash: inout TraceHash) {
        switch self {
        case .claim(let claim): hash.mix(claim.plannedAt.microseconds)
        case .unclaim(let attempt, _, _): hash.mix(attempt.value)
        case .endAttempt(let end): hash.mix(end.attempt.value)
        case .occurrence(_, let at, _, _, _): hash.mix(at.microseconds)
        case .deferral(_, let at, _, _, _, _): hash.mix(at.microseconds)
        case .setNextRun(_, let next): hash.mix(next?.microseconds ?? 0)
        default: hash.mix(1)
        }
    }
}
