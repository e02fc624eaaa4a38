// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire

/// Runs of an execution as a scheduler would tell of them.
enum FollowScript {
    static func data(_ members: [String: JSONValue] = [:]) -> JSONValue {
        .object(
            members.merging(["execution": .string(Samples.id), "task": "user.photos"]) { $1 })
    }

    static func line(_ text: String, id: Int? = nil, attempt: Int = 1) -> JSONValue {
        data([
            "id": id.map { .int($0) } ?? .null, "attempt": .int(attempt),
            "at": "2026-01-15T10:00:00Z", "stream": "stdout", "line": .string(text),
        ])
    }

    static let ended: JSONValue = [
        "execution": .string(Samples.id), "task": "user.photos", "state": "ended",
        "outcome": "succeeded", "reason": nil, "duration": 1.25, "attempts": 1,
        "result": ["n": 7], "attempt_list": [],
    ]

    /// A run whose events are these and whose store holds these lines at its end.
    static func script(
        _ events: [FakeBus.Event], stored: [JSONValue] = [], end: JSONValue = ended
    ) -> FakeBus.Script {
        { request in
            switch request.topic {
            case .taskRun:
                .data(data(["state": "running"]), events: events)
            case .taskStatus: .data(["execution": end])
            case .taskLogs:
                .data([
                    "execution": end,
                    "lines": .array(
                        stored.filter { $0["id"]?.int ?? 0 > request.body["after"]?.int ?? 0 }),
                ])
            default: .refusal(.internal, "not scripted")
            }
        }
    }
}
