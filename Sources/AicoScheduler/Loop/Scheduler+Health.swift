// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoConfig
import AicoCore
import AicoStore
import AicoWire
import Logging

/// What the scheduler remembers of health between looks.
struct HealthState {
    /// The task type whose result tells of the machine.
    static let taskType = "maintenance.health_check"

    var status = HealthStatus.healthy
    /// What the last health check found.
    var found: [HealthCheck] = []
}

extension Scheduler {
    /// All checks now.
    func judgeHealth() -> (status: HealthStatus, checks: [HealthCheck]) {
        let limits = configuration.health
        let facts = HealthRules.Facts(
            workers: pipes.map { ($0.taskClass, state(of: $0)) }, recent: metrics.recent,
            storeFailure: journal.failingSince.map { now - $0 }, lateness: metrics.lateness,
            found: health.found
                + registry.problems.map {
                    HealthCheck(name: "registry", status: .degraded, message: $0)
                })
        return HealthRules.judge(
            facts,
            limits: HealthRules.Limits(
                degradedFailurePercent: limits.degradedFailurePercent,
                criticalFailurePercent: limits.criticalFailurePercent,
                leastExecutions: limits.leastExecutions, workerMissing: limits.workerMissing,
                maximumLateness: limits.maximumLateness))
    }

    /// Judges anew and tells of a change.
    func assessHealth() {
        let status = judgeHealth().status
        guard status != health.status else { return }
        publish(
            .health,
            ["status": .string(status.rawValue), "was": .string(health.status.rawValue)])
        log.notice(
            "health changed", metadata: ["from": "\(health.status)", "to": "\(status)"])
        health.status = status
    }

    /// Takes over what a health check task found; hostile until checked.
    func noteHealth(of run: Run, _ conclusion: Conclusion) {
        guard run.entry.task.type == HealthState.taskType else { return assessHealth() }
        if let checks = conclusion.result?["checks"]?.array {
            health.found = checks.prefix(32).compactMap { check in
                guard let name = check["name"]?.string,
                    let status = check["status"]?.string.flatMap(HealthStatus.init)
                else { return nil }
                return HealthCheck(
                    name: String(name.prefix(64)), status: status,
                    message: String((check["message"]?.string ?? "").prefix(512)))
            }
        } else if conclusion.judgement.kind != .cancelled {
            health.found = [
                HealthCheck(
                    name: HealthState.taskType,
                    status: conclusion.judgement.kind == .succeeded ? .healthy : .degraded,
                    message: conclusion.message ?? conclusion.judgement.kind.rawValue)
            ]
        }
        assessHealth()
    }

    private func state(of pipe: ClassPipe) -> HealthRules.Worker {
        switch pipe.worker {
        case .ready: return .ready
        case .unproven(let why), .distrusted(let why): return .distrusted(why)
        case .absent, .launched, .proving:
            let time = now - pipe.since
            return time < .seconds(5) ? .starting : .missing(time)
        }
    }
}
