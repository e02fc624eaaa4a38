// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoStore
import AicoWire
import SchedulerCore

extension Scheduler {
    /// A task as the bus shows it.
    func view(of task: TaskState) -> JSONValue {
        let record = task.record
        let running = task.open.min()
        let queued = running == nil ? task.queued : nil
        return [
            "id": .string(record.id.text), "type": .string(record.type),
            "class": .string(record.id.taskClass.name), "schedule": .string(record.schedule),
            "timezone": .string(record.timezone), "enabled": .bool(record.enabled),
            "config": (try? JSONValue.parse(record.config)) ?? .null,
            "policies": (try? JSONValue.parse(record.policies)) ?? .null,
            "timeout": .seconds(core.timeout(of: task)), "origin": .string(record.origin),
            "created_at": .instant(record.createdAt), "updated_at": .instant(record.updatedAt),
            "last_run": .instant(record.lastRun),
            "next_run": .instant(record.enabled ? record.nextRun : nil),
            "last_outcome": .text(task.lastOutcome?.rawValue), "running": .text(running),
            "queued": .text(queued),
        ]
    }

    /// An execution that has no row yet.
    func view(of execution: Execution) -> JSONValue {
        let waits = execution.state == .queued ? core.waits(execution) : nil
        return [
            "execution": .string(execution.id), "task": .string(execution.task.id.text),
            "trigger": .string(execution.trigger.rawValue), "state": "queued",
            "planned_at": .instant(execution.plannedAt), "attempts": 0, "outcome": .null,
            "reason": .text(waits?.reason.rawValue), "detail": .text(waits?.detail),
        ]
    }
}

extension StoredExecution {
    /// The execution as the bus shows it.
    func view(attempts list: [StoredAttempt]? = nil) -> JSONValue {
        var members: [String: JSONValue] = [
            "execution": .string(id), "task": .string(taskID),
            "trigger": .string(trigger.rawValue), "state": .string(state.rawValue),
            "outcome": .text(outcome),
            "reason": .text(reason.flatMap { $0.isEmpty ? nil : $0 }),
            "planned_at": .instant(plannedAt), "started_at": .instant(startedAt),
            "completed_at": .instant(completedAt),
            "duration": duration.map { .seconds($0) } ?? .null, "attempts": .int(attempts),
            "retry_at": .instant(retryAt),
            "result": result.flatMap { try? JSONValue.parse($0) } ?? .null,
            "error": .text(isUnreadable ? "its sealed columns do not open" : errorMessage),
        ]
        if let list { members["attempt_list"] = .array(list.map(\.view)) }
        return .object(members)
    }
}

extension StoredAttempt {
    /// The attempt as the bus shows it.
    fileprivate var view: JSONValue {
        let ending = ending.flatMap { try? JSONValue.parse($0) }
        var members: [String: JSONValue] = [
            "number": .int(Int(number)), "started_at": .instant(startedAt),
            "ended_at": .instant(endedAt), "outcome": .text(outcome),
            "error": .text(errorMessage),
            "layers": layers.flatMap { try? JSONValue.parse($0) } ?? .null,
        ]
        for key in ["exit_code", "signal", "cause", "usage"] {
            members[key] = ending?[key] ?? .null
        }
        return .object(members)
    }
}

extension JSONValue {
    /// This object with a member put in the place of what it has of that name.
    func adding(_ key: String, _ value: JSONValue) -> JSONValue {
        var members = object ?? [:]
        members[key] = value
        return .object(members)
    }
}
