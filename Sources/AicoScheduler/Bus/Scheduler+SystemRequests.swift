// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoStore
import AicoWire
import Glibc
import SchedulerCore

extension Scheduler {
    /// The program's version.
    package static let version = "0.1.0"

    func stats(_ body: JSONValue, _ request: PendingRequest) throws(BusRefusal) {
        let reader = try ObjectReader(body, keys: ["task", "since"])
        let task = reader.value("task") == nil ? nil : try task(reader).key.uid
        let since = try reader.instant("since") ?? WallClock.now - .seconds(86400)
        let own: [String: JSONValue] = [
            "since": .instant(since), "latency_ms": latencyView, "uptime": .seconds(uptime),
            "loop": ["turns": .int(metrics.turns), "busy_seconds": .seconds(metrics.busy)],
            "queued": .int(core.queued),
        ]
        read(request) { store throws(StoreError) in
            .success(.object(own.merging(try store.stats(since: since, task: task).view) { $1 }))
        }
    }

    func healthReport(_ body: JSONValue) throws(BusRefusal) -> JSONValue {
        _ = try ObjectReader(body, keys: [])
        lookAtLog(always: true)
        let report = HealthRules.judge(core.healthFacts, limits: core.settings.health)
        return [
            "status": .string(report.system.rawValue),
            "tasks_status": .string(report.tasks.rawValue), "at": .instant(WallClock.now),
            "checks": .array(
                report.checks.map {
                    [
                        "name": .string($0.name), "status": .string($0.status.rawValue),
                        "message": .string($0.message),
                    ]
                }),
            "workers": .array(
                core.workers.map { worker in
                    view(
                        of: worker,
                        adding: [
                            "layers": .array(worker.layers.map { .string($0) }),
                            "message": .text(message(worker)),
                        ])
                }),
        ]
    }

    func systemStatus(_ body: JSONValue) throws(BusRefusal) -> JSONValue {
        _ = try ObjectReader(body, keys: [])
        let boot = WallClock.uptime
        return [
            "supervisor": ["pid": .int(Int(getppid()))],
            "scheduler": [
                "pid": .int(Int(getpid())), "uptime": .seconds(uptime),
                "version": .string(Self.version),
            ],
            "workers": .array(
                core.workers.map { worker in
                    view(
                        of: worker,
                        adding: [
                            "uptime": worker.processID == nil
                                ? .null : .seconds(boot - worker.since.boot)
                        ])
                }),
        ]
    }

    private var uptime: Duration { WallClock.uptime - core.startedAt.boot }

    private func view(of worker: Worker, adding more: [String: JSONValue]) -> JSONValue {
        let own: [String: JSONValue] = [
            "name": .string(worker.id.name), "class": .string(worker.id.taskClass.name),
            "types": .array(registry.types(of: worker.id).map { .string($0.text) }),
            "state": .string(worker.stateName),
            "pid": .count(worker.processID), "restarts": .int(max(0, worker.restarts)),
        ]
        return .object(own.merging(more) { $1 })
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

    /// What a worker's state rests on.
    private func message(_ worker: Worker) -> String? {
        switch worker.state {
        case .ready where core.silence(of: worker) != nil:
            core.silence(of: worker).map { "has not answered for \($0.components.seconds) s" }
        case .ready: worker.passedChecks.map { "its canary passed \($0) escape checks" }
        case .canaryFailed, .quarantined: worker.why
        case .probing: "its canary is running"
        case .absent, .launched: worker.lastEnd
        }
    }
}

extension Worker {
    /// The state as the bus shows it.
    fileprivate var stateName: String {
        switch state {
        case .ready: "running"
        case .launched, .probing: "starting"
        case .canaryFailed: "canary_failed"
        case .absent, .quarantined: "stopped"
        }
    }
}

extension StoreStats {
    /// The numbers as the bus shows them.
    fileprivate var view: [String: JSONValue] {
        var duration = JSONValue.null
        if let mean = meanSeconds, let least = minimumSeconds, let most = maximumSeconds {
            duration = [
                "mean": .double(mean), "minimum": .double(least), "maximum": .double(most),
            ]
        }
        func counts(_ counts: [String: Int]) -> JSONValue {
            .object(counts.mapValues { .int($0) })
        }
        return [
            "tasks": .int(tasks), "enabled": .int(enabledTasks), "running": .int(running),
            "waiting": .int(waiting), "outcomes": counts(outcomes), "retries": .int(retries),
            "not_run": counts(notRun), "dead_letters": .int(deadLetters), "duration": duration,
        ]
    }
}
