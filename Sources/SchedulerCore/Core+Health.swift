// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import AicoCore

/// What the core remembers of health between looks.
package struct HealthMemory: Sendable {
    /// The task type whose result tells of the machine.
    package static let taskType = "maintenance.health_check"

    /// As told last.
    package internal(set) var status = HealthStatus.healthy
    /// What the last health check found.
    package internal(set) var found: [HealthCheck] = []
    /// What stands around the core, as worker executables that do not describe themselves.
    package var surroundings: [HealthCheck] = []
    /// What the last attempt of a class could not be shown of the host; no attempt begins without.
    var lacks: [TaskClass: HealthCheck] = [:]
    /// The write-ahead log as seen last, and since when it has been above its bound.
    var log = HealthRules.WriteAheadLog(bytes: 0)
    var logExceeds: Time?
    /// When it was judged last, by the boot clock.
    var judgedAt = Duration.zero
    private var system = Ring<Bool>(capacity: 100)
    private var tasks = Ring<Bool>(capacity: 100)
    private var latencies = Ring<Duration>(capacity: 100)

    /// Failed and all attempts of the system's own classes that ended lately.
    package var recentOfSystem: (failed: Int, all: Int) { Self.count(system) }
    /// Failed and all attempts of agency and user tasks that ended lately.
    package var recentOfTasks: (failed: Int, all: Int) { Self.count(tasks) }
    /// The worst of the last starts.
    package var lateness: Duration { latencies.elements.max() ?? .zero }

    /// What the attempts of a class do without or do not begin for, as far as its last one showed; nil
    /// where they have all that their profile grants.
    package func lack(of taskClass: TaskClass) -> String? { lacks[taskClass]?.message }

    /// Remembers a path that an attempt of the class has begun without, until one has it.
    mutating func note(_ layers: LayerReport, of taskClass: TaskClass) {
        lacks[taskClass] = layers.missing.first(where: \.isOfMounts).map {
            lack("its attempts run without a path of its profile", $0, of: taskClass)
        }
    }

    /// Remembers a path that an attempt was refused for, until one of its class begins.
    mutating func note(_ exit: AttemptExit, of taskClass: TaskClass) {
        // One whose code ran, and failed without the path, says so in its reply.
        guard exit.reply == .none, case .layerRefused(let failure) = exit.cause,
            failure.isOfMounts
        else { return }
        lacks[taskClass] = lack("its attempts do not begin", failure, of: taskClass)
    }

    private func lack(
        _ what: String, _ failure: LayerFailure, of taskClass: TaskClass
    ) -> HealthCheck {
        HealthCheck(
            name: "grants.\(taskClass.name)", status: .degraded,
            message: "\(what): cannot \(failure.detail) (errno \(failure.errno))")
    }

    mutating func note(latency: Duration) { latencies.append(latency) }

    /// Counts an attempt's outcome; what was asked for is no failure.
    mutating func note(_ outcome: Outcome, of taskClass: TaskClass) {
        let isFailure: Bool
        switch outcome.kind {
        case .succeeded: isFailure = false
        case .failedTransient, .failedPermanent, .timedOut, .killed: isFailure = true
        case .cancelled, .interrupted: return
        }
        switch taskClass {
        case .maintenance, .security: system.append(isFailure)
        case .agency, .user: tasks.append(isFailure)
        }
    }

    private static func count(_ ring: Ring<Bool>) -> (failed: Int, all: Int) {
        (ring.elements.count { $0 }, ring.elements.count)
    }
}

extension SchedulerCore {
    /// All that health is judged by.
    package var healthFacts: HealthRules.Facts {
        HealthRules.Facts(
            workers: workers.map { ($0.id, healthState(of: $0)) },
            recentOfSystem: health.recentOfSystem, recentOfTasks: health.recentOfTasks,
            storeFailure: storeFailure, storeTrouble: storeTrouble?.message, damages: storeDamages,
            lateness: health.lateness, log: logFacts,
            found: health.found + health.surroundings
                + TaskClass.allCases.compactMap { health.lacks[$0] })
    }

    /// Judges anew and tells of a change.
    mutating func assessHealth() {
        health.judgedAt = now.boot
        let status = HealthRules.judge(healthFacts, limits: settings.health).system
        guard status != health.status else { return }
        publish(.health(status, was: health.status))
        log(.notice, "health changed", ["from": health.status.rawValue, "to": status.rawValue])
        health.status = status
    }

    /// Judges anew where the last time is a while ago: after what makes nothing worse at once, more
    /// often would cost more than it tells.
    mutating func assessHealthInTime() {
        if now.boot - health.judgedAt >= settings.healthInterval { assessHealth() }
    }

    /// Counts how an attempt ended, and takes over what a health check found; hostile until checked.
    mutating func noteHealth(
        of execution: Execution, _ outcome: Outcome, _ result: JSONValue?, _ message: String?
    ) {
        health.note(outcome, of: execution.taskClass)
        var isNews = outcome.kind != .succeeded
        if task(execution.task)?.record.type == HealthMemory.taskType {
            isNews = true
            if let checks = result?["checks"]?.array {
                let seen = "; seen by the health check at \(now.wall.iso8601.prefix(19))Z"
                health.found = checks.prefix(32).compactMap(HealthCheck.init).map { check in
                    // What it tells may be over by now, and stands until the next one.
                    var check = check
                    if check.status != .healthy { check.message += seen }
                    return check
                }
            } else if outcome.kind != .cancelled {
                health.found = [
                    HealthCheck(
                        name: HealthMemory.taskType,
                        status: outcome.kind == .succeeded ? .healthy : .degraded,
                        message: message ?? outcome.kind.rawValue)
                ]
            }
        }
        if isNews { assessHealth() } else { assessHealthInTime() }
    }

    /// Remembers how large the write-ahead log is; a bound that is passed for long is told.
    mutating func note(logBytes bytes: Int, _ readers: [String]) {
        health.log = HealthRules.WriteAheadLog(bytes: bytes, readers: readers)
        health.logExceeds = bytes > settings.health.logBytes ? health.logExceeds ?? now : nil
        assessHealth()
    }

    private var logFacts: HealthRules.WriteAheadLog {
        var log = health.log
        log.excess = health.logExceeds.map { now.boot - $0.boot }
        return log
    }

    private func healthState(of worker: Worker) -> HealthRules.Worker {
        if let silence = silence(of: worker) {
            return .silent(silence, patience: settings.heartbeatPatience)
        }
        switch worker.state {
        case .ready: return deaths(of: worker).map { .died($0) } ?? .ready
        case .canaryFailed, .quarantined: return .quarantined(worker.why ?? "")
        case .absent, .launched, .probing:
            if let deaths = deaths(of: worker), deaths.times >= HealthRules.deathsInARow {
                return .died(deaths)
            }
            let time = now.boot - worker.since.boot
            return time < settings.pingInterval ? .starting : .missing(time)
        }
    }
}

extension SchedulerCore {
    /// A worker's deaths that are not forgotten; nil where there are none.
    private func deaths(of worker: Worker) -> HealthRules.Deaths? {
        guard worker.deaths > 0, let diedAt = worker.diedAt else { return nil }
        var deaths = HealthRules.Deaths(
            times: worker.deaths, last: worker.lastEnd ?? "ended", at: diedAt)
        if worker.isReady {
            guard now.boot - worker.since.boot < settings.stableAfter else { return nil }
            deaths.worksSince = worker.since.wall
            deaths.forgottenAt = worker.since.wall + settings.stableAfter
        }
        return deaths
    }
}

extension HealthCheck {
    /// Reads what a health check task says; nil where it is no check.
    fileprivate init?(_ check: JSONValue) {
        guard let name = check["name"]?.string,
            let status = check["status"]?.string.flatMap(HealthStatus.init)
        else { return nil }
        self.init(
            name: String(name.prefix(64)), status: status,
            message: String((check["message"]?.string ?? "").prefix(512)))
    }
}

/// The last so many values.
struct Ring<Element: Sendable>: Sendable {
    private(set) var elements: [Element] = []
    private let capacity: Int
    private var next = 0

    init(capacity: Int) { self.capacity = capacity }

    mutating func append(_ element: Element) {
        if elements.count < capacity {
            elements.append(element)
        } else {
            elements[next] = element
            next = (next + 1) % capacity
        }
    }
}
