// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire

/// A task as the scheduler describes it.
struct TaskView {
    let id: String
    let type: String
    let schedule: String
    let timezone: String
    let isEnabled: Bool
    let config: JSONValue
    let policies: JSONValue
    /// The longest that an attempt may take, in seconds, where that is less than its policy asks for.
    let cutTimeout: String?
    let lastRun: Instant?
    let nextRun: Instant?
    let lastOutcome: String?
    let running: String?
    /// What its next start, or that of its next attempt, waits for.
    let waits: WaitReason?
    let created: Instant?
    let updated: Instant?
    let origin: String?

    init(_ json: JSONValue) {
        id = json["id"]?.string ?? ""
        type = json["type"]?.string ?? ""
        schedule = json["schedule"]?.string ?? ""
        timezone = json["timezone"]?.string ?? "UTC"
        isEnabled = json["enabled"]?.bool ?? true
        config = json["config"] ?? [:]
        policies = json["policies"] ?? [:]
        if let held = json["timeout"]?.double, let asked = policies["timeout"]?.double, held < asked
        {
            cutTimeout =
                "\(json["timeout"]?.text() ?? "") s, the most that the class's profile permits"
        } else {
            cutTimeout = nil
        }
        lastRun = json.instant("last_run")
        nextRun = json.instant("next_run")
        lastOutcome = json["last_outcome"]?.string
        running = json["running"]?.string
        waits = WaitReason(memberOf: json)
        created = json.instant("created_at")
        updated = json.instant("updated_at")
        origin = json["origin"]?.string
    }

    /// `running`, `waiting`, `disabled` or `enabled`.
    var state: String {
        if let waits, running == nil || running == waits.execution { return "waiting" }
        return running != nil ? "running" : isEnabled ? "enabled" : "disabled"
    }

    /// The state, of one that waits with what for and since when.
    func stateText(now: Instant) -> String {
        state == "waiting" ? waits?.cell(now: now) ?? state : state
    }

    /// The table that lists tasks.
    static func table(_ tasks: [TaskView], now: Instant) -> Table {
        Table(
            [
                .init(title: "TASK", minimum: 16),
                .init(title: "STATE"),
                .init(title: "SCHEDULE", minimum: 9, rank: 4),
                .init(title: "ZONE", minimum: 6, rank: 1),
                .init(title: "TYPE", minimum: 10, rank: 0),
                .init(title: "LAST", rank: 2),
                .init(title: "OUTCOME", minimum: 9, rank: 3),
                .init(title: "NEXT"),
            ],
            rows: tasks.map { task in
                [
                    .init(task.id), .init(task.stateText(now: now), Style.of(task.state)),
                    .init(task.schedule), .init(task.timezone, .faint),
                    .init(task.type, .faint),
                    .init(task.lastRun.map { HumanTime.relative($0, to: now) } ?? "-"),
                    .init(task.lastOutcome ?? "-", Style.of(task.lastOutcome ?? "")),
                    .init(task.nextText(now: now)),
                ]
            })
    }

    private func nextText(now: Instant) -> String {
        guard isEnabled, let nextRun else { return "-" }
        return nextRun <= now ? "due" : HumanTime.relative(nextRun, to: now)
    }
}

extension JSONValue {
    /// The member as an instant; nil where it is missing, null or not one.
    func instant(_ key: String) -> Instant? {
        self[key]?.string.flatMap { Instant(iso8601: $0) }
    }
}
