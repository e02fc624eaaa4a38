// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoStore
import AicoWire
import SchedulerCore

extension Scheduler {
    /// A task as the bus shows it.
    func view(of task: TaskState) -> JSONValue {
        view(of: task, WaitingExecutions(of: [task], in: core))
    }

    /// The same, where it was looked before for what waits.
    func view(of task: TaskState, _ waiting: WaitingExecutions) -> JSONValue {
        let record = task.record
        let running = task.open.min()
        let waits = waiting.first(of: task, in: core)
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
            "queued": .text(waits.flatMap { $0.attempts == 0 ? $0.id : nil }),
            "waits": waits.map { waitsView(of: $0).adding("execution", .string($0.id)) } ?? .null,
        ]
    }

    /// What a queued execution waits for, and since when; null for any other.
    func waitsView(of execution: Execution) -> JSONValue {
        execution.state == .queued ? core.waits(execution).view : .null
    }

    /// An execution that has no row yet.
    func view(of execution: Execution) -> JSONValue {
        let waits = waitsView(of: execution)
        return [
            "execution": .string(execution.id), "task": .string(execution.task.id.text),
            "trigger": .string(execution.trigger.rawValue), "state": "queued",
            "planned_at": .instant(execution.plannedAt), "attempts": 0, "outcome": .null,
            "reason": waits["reason"] ?? .null, "detail": waits["detail"] ?? .null,
            "waits": waits, "started_at": .null, "completed_at": .null, "retry_at": .null,
            "duration": .null, "result": .null, "error": .null,
        ]
    }
}

/// The executions that wait beside others of their task, which no line holds; of a crowd a bounded
/// part is looked at.
struct WaitingExecutions {
    /// How many executions one request looks at.
    static let searched = 10_000
    private var beside: [TaskKey: Execution] = [:]

    /// Looks for those of some tasks.
    init(of tasks: [TaskState], in core: SchedulerCore) {
        let keys = Set(tasks.lazy.filter { $0.policies.overlap == .allow }.map(\.key))
        guard !keys.isEmpty else { return }
        for execution in Self.all(in: core) where keys.contains(execution.task) {
            let known = beside[execution.task]
            if known.map({ execution.queuedAt < $0.queuedAt }) ?? true {
                beside[execution.task] = execution
            }
        }
    }

    /// All that wait in the queue, in no order.
    static func all(in core: SchedulerCore) -> some Sequence<Execution> {
        core.executions.values.prefix(searched).lazy.filter { $0.state == .queued }
    }

    /// The first of a task's that waits for its start, else for its next attempt's.
    func first(of task: TaskState, in core: SchedulerCore) -> Execution? {
        if let first = core.firstInLine(of: task.key).flatMap({ core.executions[$0] }),
            first.state == .queued
        {
            return first
        }
        return beside[task.key]
            ?? task.open.sorted().lazy.compactMap { core.executions[$0] }
            .first { $0.state == .queued }
    }
}

extension Reply.Waits {
    /// The wait as the bus shows it.
    var view: JSONValue {
        [
            "reason": .string(reason.rawValue), "detail": .string(detail),
            "since": .instant(since),
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
        for key in ["exit_code", "signal", "cause", "usage", "left_behind"] {
            members[key] = ending?[key] ?? .null
        }
        return .object(members)
    }
}

extension JSONValue {
    /// This object with a member put in the place of what it has of that name.
    func adding(_ key: String, _ value: JSONValue?) -> JSONValue {
        var members = object ?? [:]
        members[key] = value ?? .null
        return .object(members)
    }
}
