// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import LinuxSystem
import TaskKit

/// What a run of `maintenance.health_check` found; the scheduler's health takes it over.
struct HealthReport: TaskResult {
    var status: HealthStatus
    var checks: [Finding]
}

/// Looks at everything that this instance needs in order to go on.
///
/// A bad finding is a successful run with a bad status: the check itself worked.
struct HealthCheckTask: ScheduledTask {
    static let id = "maintenance.health_check"
    static let summary = "checks database, bus, disk space, workers and memory"
    static let timeout: Duration = .seconds(120)

    func run(_ config: HealthCheckConfig, _ context: TaskContext) async throws -> HealthReport {
        var checks: [Finding] = []
        if config.checksDatabase { checks += try database(config, context) }
        try context.checkCancellation()
        if config.checksBus {
            let bus = BusProbe(
                endpoint: config.busEndpoint, keyFile: config.busKey,
                roundTrip: config.roundTrip, timeout: config.busTimeout
            ).ask()
            checks.append(bus.finding)
            checks +=
                bus.answer.map(WorkerFindings.judge)
                ?? [.unknown("workers", "the scheduler did not answer")]
        }
        try context.checkCancellation()
        if config.checksDisk { checks += disk(config) }
        if config.checksMemory {
            checks += MemoryProbe(
                available: config.memory, pressure: config.pressure, proc: config.procPath
            ).findings()
        }
        for check in checks where check.status != .healthy {
            context.log(
                check.status == .critical ? .error : .warning,
                "\(check.name) is \(check.status.rawValue): \(check.message)")
        }
        return HealthReport(status: checks.worst, checks: checks)
    }

    private func database(
        _ config: HealthCheckConfig, _ context: TaskContext
    ) throws(TaskCancelled) -> [Finding] {
        let mark = FullCheckMark(path: config.statePath)
        let now = Instant(sinceEpoch: Clock.wall)
        let isFull = mark.isDue(now: now, everyHours: config.fullIntegrityHours)
        context.progress(nil, "checking the database")
        let findings = try StoreProbe(
            path: config.storePath, latency: config.latency,
            integrityLimit: config.integrityLimit, isThorough: isFull
        ).findings(context)
        let isDone = findings.contains { $0.name == "store.integrity" && $0.status == .healthy }
        if isFull, isDone, !mark.set(now) {
            context.log(
                .warning,
                "cannot keep \"\(config.statePath)\"; the next check is a full one again")
        }
        return findings
    }

    private func disk(_ config: HealthCheckConfig) -> [Finding] {
        let store = config.storePath.split(separator: "/", omittingEmptySubsequences: false)
            .dropLast().joined(separator: "/")
        return [("store", store), ("logs", config.logsPath)].flatMap { name, path in
            DiskProbe(
                name: name, path: path, free: config.free,
                minimumFreeBytes: config.minimumFreeBytes
            ).findings()
        }
    }
}
