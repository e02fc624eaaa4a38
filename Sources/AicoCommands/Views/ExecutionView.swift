// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire

/// An execution as the scheduler describes it.
struct ExecutionView {
    let id: String
    let task: String
    let trigger: String
    let state: String
    let outcome: String?
    let reason: String?
    let planned: Instant?
    let started: Instant?
    let completed: Instant?
    let duration: Double?
    let attempts: Int
    let retryAt: Instant?
    let result: JSONValue?
    let error: String?
    /// What its start, or that of its next attempt, waits for.
    let waits: WaitReason?
    let attemptList: [AttemptView]

    init(_ json: JSONValue) {
        id = json["execution"]?.string ?? ""
        task = json["task"]?.string ?? ""
        trigger = json["trigger"]?.string ?? ""
        state = json["state"]?.string ?? ""
        outcome = json["outcome"]?.string
        reason = json["reason"]?.string
        planned = json.instant("planned_at")
        started = json.instant("started_at")
        completed = json.instant("completed_at")
        duration = json["duration"]?.double
        attempts = json["attempts"]?.int ?? 0
        retryAt = json.instant("retry_at")
        result = json["result"].flatMap { $0.isNull ? JSONValue?.none : $0 }
        error = json["error"]?.string
        waits = WaitReason(memberOf: json)
        attemptList = (json["attempt_list"]?.array ?? []).map { AttemptView($0) }
    }

    /// The beginning of the id that tables show; verbs take it in place of the whole id.
    var shortID: String { String(id.prefix(8)) }

    /// The outcome with its reason, or the state while there is none.
    var outcomeText: String {
        guard state == "ended", let outcome else { return state }
        return reason.map { "\(outcome) (\($0))" } ?? outcome
    }

    /// The same for a table: one that waits says what for and since when.
    func outcomeText(now: Instant) -> String { waits?.cell(now: now) ?? outcomeText }

    var style: Style { Style.of(state == "ended" ? outcome ?? "" : state) }

    /// The table that lists executions.
    static func table(_ executions: [ExecutionView], now: Instant, withTask: Bool = true) -> Table {
        var table = Table([
            .init(title: "EXECUTION"),
            .init(title: "TASK", minimum: 14),
            .init(title: "TRIGGER", minimum: 6, rank: 1),
            .init(title: "STARTED"),
            .init(title: "TOOK", isRight: true, rank: 3),
            .init(title: "TRIES", isRight: true, rank: 2),
            .init(title: "OUTCOME", minimum: 12),
            .init(title: "ERROR", minimum: 12, rank: 0),
        ])
        table.rows = executions.map { execution in
            [
                .init(execution.shortID), .init(execution.task), .init(execution.trigger, .faint),
                .init(
                    (execution.started ?? (execution.waits == nil ? execution.planned : nil))
                        .map { HumanTime.relative($0, to: now) } ?? "-"),
                .init(execution.duration.map(HumanTime.length) ?? "-"),
                .init(String(execution.attempts)),
                .init(execution.outcomeText(now: now), execution.style),
                .init(execution.error ?? ""),
            ]
        }
        return withTask ? table : table.dropping(column: 1)
    }
}
