// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import SchedulerCore

extension Published {
    /// The topic that the event is published on.
    var topic: BusEventTopic {
        switch self {
        case .started: .executionStarted
        case .progress: .executionProgress
        case .log: .executionLog
        case .finished: .executionFinished
        case .retry: .executionRetry
        case .deadLetter: .executionDeadLetter
        case .deferred: .executionDeferred
        case .skipped: .executionSkipped
        case .health: .health
        case .worker: .worker
        }
    }

    /// The event's data, as docs/wire-protocol.md lists it.
    var json: JSONValue {
        switch self {
        case .started(let subject, let trigger, let plannedAt, let at):
            subject.json([
                "attempt": .int(subject.attempt), "trigger": .string(trigger.rawValue),
                "planned_at": .instant(plannedAt), "at": .instant(at),
            ])
        case .progress(let subject, let fraction, let message):
            subject.json([
                "attempt": .int(subject.attempt),
                "fraction": fraction.map { .double($0) } ?? .null, "message": .string(message),
            ])
        case .log(let subject, let stream, let at, let line):
            subject.json([
                "attempt": .int(subject.attempt), "id": .null, "stream": .string(stream.name),
                "at": .instant(at), "line": .string(line),
            ])
        case .finished(let subject, let outcome, let duration, let message, let result):
            subject.json([
                "attempt": .int(subject.attempt), "outcome": .string(outcome.kind.rawValue),
                "reason": .text(outcome.reason?.rawValue), "duration": .seconds(duration),
                "error": .text(message), "result": result ?? .null,
            ])
        case .retry(let subject, let outcome, let message, let at):
            subject.json([
                "attempt": .int(subject.attempt), "outcome": .string(outcome.kind.rawValue),
                "reason": .text(outcome.reason?.rawValue), "error": .text(message),
                "retry_at": .instant(at),
            ])
        case .deadLetter(let subject, let reason):
            subject.json(["attempts": .int(subject.attempt), "reason": .string(reason)])
        case .deferred(let subject, let plannedAt, let waits):
            subject.json([
                "planned_at": .instant(plannedAt), "reason": .string(waits.reason.rawValue),
                "detail": .string(waits.detail), "since": .instant(waits.since),
            ])
        case .skipped(let subject, let plannedAt, let reason):
            subject.json(["planned_at": .instant(plannedAt), "reason": .string(reason)])
        case .health(let status, let was):
            ["status": .string(status.rawValue), "was": .string(was.rawValue)]
        case .worker(let worker, let state, let processID, let detail):
            [
                "class": .string(worker.taskClass.name), "worker": .string(worker.name),
                "state": .string(state),
                "pid": .count(processID), "detail": .text(detail),
            ]
        }
    }
}

extension Published.Subject {
    fileprivate func json(_ more: [String: JSONValue]) -> JSONValue {
        var members = more
        members["task"] = .string(task.text)
        members["execution"] = .string(execution)
        return .object(members)
    }
}
