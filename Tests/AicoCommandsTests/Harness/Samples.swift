// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire

/// Replies as a scheduler gives them; texts of tasks are as hostile as tasks may be.
enum Samples {
    static let id = "3f2a91c0-5c1d-4f7e-9a66-0d4c51a1b2c3"
    static let hostile = "\u{1B}[2J\u{9B}31mgone\r\n\u{202E}tfel\u{7}"

    static let task: JSONValue = [
        "id": "user.photos", "type": "user.command", "class": "user", "schedule": "0 2 * * *",
        "timezone": "Europe/Berlin", "enabled": true,
        "config": ["argv": ["/usr/bin/rsync", "-a"], "environment": ["A": "1"]],
        "policies": ["retry": ["count": 2, "delay": 30], "timeout": 60], "origin": "admin",
        "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-02T00:00:00Z",
        "last_run": "2026-01-15T01:00:00Z", "next_run": "2026-01-16T01:00:00Z",
        "last_outcome": "succeeded", "running": nil,
    ]

    static let disabledTask: JSONValue = [
        "id": "maintenance.log_cleanup", "type": "maintenance.log_cleanup",
        "class": "maintenance", "schedule": "0 3 * * *", "timezone": "UTC", "enabled": false,
        "config": [:], "policies": [:], "origin": "builtin",
        "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z",
        "last_run": nil, "next_run": nil, "last_outcome": nil, "running": nil,
    ]

    static let execution: JSONValue = [
        "execution": .string(id), "task": "user.photos", "trigger": "schedule",
        "state": "ended", "outcome": "killed", "reason": "denied_syscall",
        "planned_at": "2026-01-15T01:00:00Z", "started_at": "2026-01-15T01:00:00.25Z",
        "completed_at": "2026-01-15T01:00:01.5Z", "duration": 1.25, "attempts": 2,
        "retry_at": nil, "result": nil, "error": .string(hostile),
    ]

    static let attempts: JSONValue = [
        [
            "number": 1, "started_at": "2026-01-15T01:00:00.25Z",
            "ended_at": "2026-01-15T01:00:00.5Z", "outcome": "failed_transient",
            "exit_code": 75, "signal": nil, "cause": nil, "layers": nil, "usage": nil,
            "error": "no \u{9B}3mspace",
        ],
        [
            "number": 2, "started_at": "2026-01-15T01:00:01Z",
            "ended_at": "2026-01-15T01:00:01.5Z", "outcome": "killed", "exit_code": nil,
            "signal": 31,
            "cause": [
                "kind": "denied_syscall", "syscall": "mount", "number": 165,
                "arguments": [0, 4096, -1],
            ],
            "layers": [
                "held": ["namespaces", "seccomp"],
                "missing": [["layer": "landlock", "errno": 38, "detail": "create"]],
            ],
            "usage": [
                "wall": 0.5, "user_cpu": 0.01, "system_cpu": 0.02,
                "peak_memory_bytes": 1_572_864, "peak_processes": 1, "process_limit_hits": 3,
            ],
            "left_behind": ["count": 3, "names": ["sh", "sleep"]],
        ],
    ]

    static var wholeExecution: JSONValue {
        var members = execution.object ?? [:]
        members["attempt_list"] = attempts
        return .object(members)
    }

    static let lines: JSONValue = [
        [
            "id": 1, "attempt": 1, "at": "2026-01-15T01:00:00.3Z", "stream": "stdout",
            "line": "copying",
        ],
        [
            "id": 2, "attempt": 2, "at": "2026-01-15T01:00:01.1Z", "stream": "stderr",
            "line": .string(hostile),
        ],
        [
            "id": 3, "attempt": 2, "at": "2026-01-15T01:00:01.2Z", "stream": "info",
            "line": nil,
        ],
    ]

    static let stats: JSONValue = [
        "since": "2026-01-14T10:00:00Z", "tasks": 3, "enabled": 2, "running": 1, "waiting": 0,
        "outcomes": ["succeeded": 7, "timed_out": 1], "retries": 2, "not_run": ["skipped": 4],
        "dead_letters": 1, "duration": ["mean": 1.25, "minimum": 0.004, "maximum": 75.0],
        "latency_ms": ["p50": 1.5, "p99": 12.0, "maximum": 120.0], "uptime": 90000,
        "loop": ["turns": 10, "busy_seconds": 0.5],
    ]

    static let health: JSONValue = [
        "status": "degraded", "tasks_status": "critical", "at": "2026-01-15T10:00:00Z",
        "checks": [
            ["name": "store", "status": "healthy", "message": "writes"],
            ["name": "disk", "status": "degraded", "message": "/ is \u{1B}[5mfull"],
        ],
        "workers": [
            [
                "name": "aico-worker-user", "class": "user", "state": "running", "pid": 42,
                "restarts": 1,
                "layers": ["namespaces", "seccomp"],
            ],
            ["class": "agency", "state": "stopped", "pid": nil, "restarts": 0, "layers": []],
        ],
    ]

    static let next: JSONValue = [
        "next": [
            ["task": "user.late", "at": "2026-01-15T09:59:00Z"],
            ["task": "user.photos", "at": "2026-01-16T01:00:00Z"],
        ]
    ]

    static let deadLetters: JSONValue = [
        "dead_letters": [
            [
                "id": 7, "execution": .string(id), "task": "user.photos",
                "at": "2026-01-15T01:00:02Z", "reason": "killed: denied_syscall", "attempts": 2,
            ]
        ]
    ]

    static let processes: JSONValue = [
        "supervisor": ["pid": 10],
        "scheduler": ["pid": 11, "uptime": 3725, "version": "0.1.0"],
        "workers": [
            [
                "name": "aico-worker-user", "class": "user", "state": "running", "pid": 12,
                "restarts": 1, "uptime": 3725, "types": ["user.command"],
            ],
            [
                "name": "acme-worker-user", "class": "user", "state": "stopped", "pid": nil,
                "restarts": 0, "uptime": nil, "types": [],
            ],
        ],
    ]

    /// Answers every reading request.
    static let reading: FakeBus.Script = { request in
        switch request.topic {
        case .taskList: .data(["tasks": [disabledTask, task]])
        case .taskStatus:
            request.body["execution"] == nil
                ? .data(["task": task, "executions": [execution]])
                : .data(["execution": wholeExecution])
        case .taskHistory: .data(["executions": [execution]])
        case .taskLogs: .data(["execution": execution, "lines": lines])
        case .taskNext: .data(next)
        case .stats: .data(stats)
        case .health: .data(health)
        case .deadLetterList: .data(deadLetters)
        case .supervisorStatus: .data(processes)
        default: .refusal(.internal, "not scripted")
        }
    }
}
