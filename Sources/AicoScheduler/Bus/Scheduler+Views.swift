// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoStore
import AicoWire

extension Scheduler {
    /// A task as the bus shows it.
    func view(of entry: TaskEntry) -> JSONValue {
        let task = entry.task
        return [
            "id": .string(task.id.text), "type": .string(task.type),
            "class": .string(task.id.taskClass.name), "schedule": .string(task.schedule),
            "timezone": .string(task.timezone), "enabled": .bool(task.enabled),
            "config": (try? JSONValue.parse(task.config)) ?? .null,
            "policies": (try? JSONValue.parse(task.policies)) ?? .null,
            "origin": .string(task.origin), "created_at": .instant(task.createdAt),
            "updated_at": .instant(task.updatedAt), "last_run": .instant(task.lastRun),
            "next_run": .instant(task.enabled ? task.nextRun : nil),
            "last_outcome": .text(lastOutcome(of: entry)), "running": .text(entry.open.keys.min()),
        ]
    }

    /// An execution as the bus shows it.
    func view(of execution: StoredExecution, attempts: [StoredAttempt]? = nil) -> JSONValue {
        var members: [String: JSONValue] = [
            "execution": .string(execution.id), "task": .string(execution.taskID),
            "trigger": .string(execution.trigger.rawValue),
            "state": .string(execution.state.rawValue), "outcome": .text(execution.outcome),
            "reason": .text(execution.reason.flatMap { $0.isEmpty ? nil : $0 }),
            "planned_at": .instant(execution.plannedAt),
            "started_at": .instant(execution.startedAt),
            "completed_at": .instant(execution.completedAt),
            "duration": execution.duration.map { .seconds($0) } ?? .null,
            "attempts": .int(execution.attempts), "retry_at": .instant(execution.retryAt),
            "result": execution.result.flatMap { try? JSONValue.parse($0) } ?? .null,
            "error": .text(
                execution.isUnreadable
                    ? "its sealed columns do not open" : execution.errorMessage),
        ]
        if let attempts { members["attempt_list"] = .array(attempts.map { view(of: $0) }) }
        return .object(members)
    }

    /// An execution that has no row yet.
    func view(of waiting: Waiting) -> JSONValue {
        [
            "execution": .string(waiting.executionID), "task": .string(waiting.entry.id.text),
            "trigger": .string(waiting.trigger.rawValue), "state": "queued",
            "planned_at": .instant(waiting.plannedAt), "attempts": 0,
            "outcome": .null, "reason": .text(waiting.recorded?.rawValue),
        ]
    }

    private func view(of attempt: StoredAttempt) -> JSONValue {
        let ending = attempt.ending.flatMap { try? JSONValue.parse($0) }
        var members: [String: JSONValue] = [
            "number": .int(Int(attempt.number)), "started_at": .instant(attempt.startedAt),
            "ended_at": .instant(attempt.endedAt), "outcome": .text(attempt.outcome),
            "layers": attempt.layers.flatMap { try? JSONValue.parse($0) } ?? .null,
        ]
        for key in ["exit_code", "signal", "cause", "usage"] {
            members[key] = ending?[key] ?? .null
        }
        return .object(members)
    }

    /// The outcome of the task's last ended execution; looked up once.
    private func lastOutcome(of entry: TaskEntry) -> String? {
        if let known = entry.lastOutcome { return known }
        let found = try? store.history(task: entry.id.text, limit: 1).first?.outcome
        entry.lastOutcome = .some(found)
        return found
    }
}
