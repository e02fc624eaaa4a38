// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoStore
import AicoWire
import Glibc

extension Scheduler {
    /// The program's version.
    public static let version = "0.1.0"

    func stats(_ body: JSONValue) throws(BusRefusal) -> JSONValue {
        let reader = try ObjectReader(body, keys: ["task", "since"])
        let task = reader.value("task") == nil ? nil : try entry(reader).id.text
        let since = try reader.instant("since") ?? now - .seconds(86400)
        let stats = try reading { () throws(StoreError) in
            try store.stats(since: since, task: task)
        }
        var duration = JSONValue.null
        if let mean = stats.meanSeconds, let least = stats.minimumSeconds,
            let most = stats.maximumSeconds
        {
            duration = [
                "mean": .double(mean), "minimum": .double(least), "maximum": .double(most),
            ]
        }
        return [
            "since": .instant(since), "tasks": .int(stats.tasks),
            "enabled": .int(stats.enabledTasks), "running": .int(stats.running),
            "waiting": .int(stats.waiting), "outcomes": Self.counts(stats.outcomes),
            "retries": .int(stats.retries), "not_run": Self.counts(stats.notRun),
            "dead_letters": .int(stats.deadLetters), "duration": duration,
            "latency_ms": latencyView, "uptime": .seconds(now - startedAt),
            "loop": ["turns": .int(metrics.turns), "busy_seconds": .seconds(metrics.busy)],
        ]
    }

    func healthReport(_ body: JSONValue) throws(BusRefusal) -> JSONValue {
        _ = try ObjectReader(body, keys: [])
        let (status, checks) = judgeHealth()
        return [
            "status": .string(status.rawValue), "at": .instant(now),
            "checks": .array(
                checks.map {
                    [
                        "name": .string($0.name), "status": .string($0.status.rawValue),
                        "message": .string($0.message),
                    ]
                }),
            "workers": .array(
                pipes.map { pipe in
                    [
                        "class": .string(pipe.taskClass.name), "state": .string(stateName(pipe)),
                        "pid": .count(pipe.processID), "restarts": .int(max(0, pipe.restarts)),
                        "layers": .array(pipe.layers.map { .string($0) }),
                        "message": .text(message(pipe)),
                    ]
                }),
        ]
    }

    func systemStatus(_ body: JSONValue) throws(BusRefusal) -> JSONValue {
        _ = try ObjectReader(body, keys: [])
        return [
            "supervisor": ["pid": .int(Int(getppid()))],
            "scheduler": [
                "pid": .int(Int(getpid())), "uptime": .seconds(now - startedAt),
                "version": .string(Self.version),
            ],
            "workers": .array(
                pipes.map { pipe in
                    [
                        "class": .string(pipe.taskClass.name), "state": .string(stateName(pipe)),
                        "pid": .count(pipe.processID), "restarts": .int(max(0, pipe.restarts)),
                        "uptime": pipe.processID == nil ? .null : .seconds(now - pipe.since),
                    ]
                }),
        ]
    }

    func stopSystem(_ inquiry: Inquiry) throws(BusRefusal) {
        _ = try ObjectReader(inquiry.body, keys: [])
        audit(inquiry.client.name, "supervisor.stop", "")
        journal.whenWritten { [self] in
            inquiry.reply(.success(["stopping": true]))
            supervisor.send(SupervisorMessage(kind: .stop, taskClass: .maintenance))
        }
    }

    private var latencyView: JSONValue {
        guard let latency = metrics.latency else { return .null }
        func milliseconds(_ duration: Duration) -> JSONValue {
            .double(Double(duration.wholeMicroseconds) / 1000)
        }
        return [
            "p50": milliseconds(latency.p50), "p99": milliseconds(latency.p99),
            "maximum": milliseconds(latency.maximum),
        ]
    }

    private func stateName(_ pipe: ClassPipe) -> String {
        switch pipe.worker {
        case .ready: "running"
        case .launched, .proving: "starting"
        case .unproven: "unproven"
        case .absent, .distrusted: "stopped"
        }
    }

    /// What the state rests on.
    private func message(_ pipe: ClassPipe) -> String? {
        switch pipe.worker {
        case .ready: pipe.provenWays.map { "its canary tried \($0) ways out: all are closed" }
        case .unproven(let why), .distrusted(let why): why
        case .proving: "its canary tries the ways out"
        case .absent, .launched: nil
        }
    }

    private static func counts(_ counts: [String: Int]) -> JSONValue {
        .object(counts.mapValues { .int($0) })
    }
}
