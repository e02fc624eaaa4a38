// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// How well the system is.
package enum HealthStatus: String, Sendable, CaseIterable, Comparable, Encodable {
    case healthy
    case degraded
    case critical

    /// Compares by badness.
    package static func < (left: HealthStatus, right: HealthStatus) -> Bool {
        left.rank < right.rank
    }

    private var rank: Int {
        switch self {
        case .healthy: 0
        case .degraded: 1
        case .critical: 2
        }
    }
}

/// One thing that was looked at.
package struct HealthCheck: Sendable, Hashable {
    /// Its name, as `worker.user`.
    package var name: String
    /// How well it is.
    package var status: HealthStatus
    /// In words.
    package var message: String

    package init(name: String, status: HealthStatus, message: String) {
        self.name = name
        self.status = status
        self.message = message
    }
}

/// How well the system is, and how its users' tasks do: two things.
package struct HealthReport: Sendable, Hashable {
    /// Scheduler, workers, store, canaries and the system's own tasks.
    package var system: HealthStatus
    /// Agency and user tasks.
    package var tasks: HealthStatus
    /// All that was looked at, one check a name.
    package var checks: [HealthCheck]
}

/// Judges the system by what the scheduler knows.
package enum HealthRules {
    /// A worker that died so often in a row is critical, also while it is up again.
    package static let deathsInARow = 3

    /// What the scheduler knows of one worker.
    package enum Worker: Sendable, Hashable {
        /// Takes orders.
        case ready
        /// Was launched, or comes back soon.
        case starting
        /// Did not come to take orders for this long.
        case missing(Duration)
        /// Was asked for a sign of life so long ago and gave none; it is killed after `patience`.
        case silent(Duration, patience: Duration)
        /// Breaks the protocol, or its canary got out: takes no orders.
        case quarantined(String)
        /// Died, and has not worked for long since: critical from `deathsInARow` on.
        case died(Deaths)
    }

    /// A worker's deaths in a row.
    package struct Deaths: Sendable, Hashable {
        /// How many.
        package var times: Int
        /// How it ended last, as `was ended by signal 9`.
        package var last: String
        /// When it did.
        package var at: Instant
        /// Since when another takes orders; nil where none does.
        package var worksSince: Instant?
        /// When that one will have worked for long enough; nil where none does.
        package var forgottenAt: Instant?

        /// Makes facts.
        package init(
            times: Int, last: String, at: Instant, worksSince: Instant? = nil,
            forgottenAt: Instant? = nil
        ) {
            self.times = times
            self.last = last
            self.at = at
            self.worksSince = worksSince
            self.forgottenAt = forgottenAt
        }
    }

    /// The store's write-ahead log, which grows while somebody reads from the database.
    package struct WriteAheadLog: Sendable, Hashable {
        /// Its size.
        package var bytes: Int
        /// Who reads now, in words; asked for only where it is above its bound.
        package var readers: [String]
        /// For how long it has been above its bound; nil where it is not.
        package var excess: Duration?

        /// Makes facts.
        package init(bytes: Int, readers: [String] = [], excess: Duration? = nil) {
            self.bytes = bytes
            self.readers = readers
            self.excess = excess
        }
    }

    /// From where on things count as bad.
    package struct Limits: Sendable, Hashable {
        /// Failed of ended executions, in percent, from which it is degraded.
        package var degradedFailurePercent: Double
        /// Failed of ended executions, in percent, from which it is critical.
        package var criticalFailurePercent: Double
        /// Below this many ended executions a failure rate says nothing.
        package var leastExecutions: Int
        /// A worker that takes no orders for this long is critical.
        package var workerMissing: Duration
        /// A start later than this degrades.
        package var maximumLateness: Duration
        /// Twice what the writer lets it come to before it empties it.
        package var logBytes = 64 << 20
        /// A write-ahead log that is larger for this long degrades.
        package var logPatience = Duration.seconds(10)

        /// Makes limits.
        package init(
            degradedFailurePercent: Double = 10, criticalFailurePercent: Double = 50,
            leastExecutions: Int = 10, workerMissing: Duration = .seconds(30),
            maximumLateness: Duration = .seconds(1)
        ) {
            self.degradedFailurePercent = degradedFailurePercent
            self.criticalFailurePercent = criticalFailurePercent
            self.leastExecutions = leastExecutions
            self.workerMissing = workerMissing
            self.maximumLateness = maximumLateness
        }
    }

    /// All that is judged.
    package struct Facts: Sendable {
        /// The system's workers.
        package var workers: [(id: WorkerID, state: Worker)]
        /// Failed and all attempts of maintenance and security tasks that ended lately.
        package var recentOfSystem: (failed: Int, all: Int)
        /// Failed and all attempts of agency and user tasks that ended lately.
        package var recentOfTasks: (failed: Int, all: Int)
        /// For how long the store has refused to write; nil where it writes.
        package var storeFailure: Duration?
        /// Why it does, in words.
        package var storeTrouble: String?
        /// What of the store could not be read, in words.
        package var damages: [String]
        /// How late the loop started what was due lately, at worst.
        package var lateness: Duration
        /// The store's write-ahead log.
        package var log: WriteAheadLog
        /// What the last health check task and others found.
        package var found: [HealthCheck]

        /// Makes facts.
        package init(
            workers: [(id: WorkerID, state: Worker)] = [],
            recentOfSystem: (failed: Int, all: Int) = (0, 0),
            recentOfTasks: (failed: Int, all: Int) = (0, 0), storeFailure: Duration? = nil,
            storeTrouble: String? = nil, damages: [String] = [], lateness: Duration = .zero,
            log: WriteAheadLog = WriteAheadLog(bytes: 0), found: [HealthCheck] = []
        ) {
            self.workers = workers
            self.recentOfSystem = recentOfSystem
            self.recentOfTasks = recentOfTasks
            self.storeFailure = storeFailure
            self.storeTrouble = storeTrouble
            self.damages = damages
            self.lateness = lateness
            self.log = log
            self.found = found
        }
    }

    /// The check that tells of agency and user tasks, and of nothing else.
    package static let tasksCheck = "tasks"

    /// Lists all checks, one a name; the system is as well as the worst of its own.
    package static func judge(_ facts: Facts, limits: Limits = Limits()) -> HealthReport {
        var checks = facts.workers.map { worker($0.id, $0.state, limits) }
        checks.append(failures("maintenance", facts.recentOfSystem, limits))
        checks.append(store(facts))
        checks.append(log(facts.log, limits))
        checks.append(loop(facts.lateness, limits))
        checks += facts.found
        let tasks = failures(tasksCheck, facts.recentOfTasks, limits)
        let merged = merge(checks)
        return HealthReport(
            system: merged.map(\.status).max() ?? .healthy, tasks: tasks.status,
            checks: merged + [tasks])
    }

    /// Two checks of one name are one: the worse status, and both messages where they differ.
    private static func merge(_ checks: [HealthCheck]) -> [HealthCheck] {
        var merged: [HealthCheck] = []
        for check in checks where check.name != tasksCheck {
            guard let index = merged.firstIndex(where: { $0.name == check.name }) else {
                merged.append(check)
                continue
            }
            let known = merged[index]
            if check.status > known.status {
                merged[index] = check
            } else if check.status == known.status, check.message != known.message {
                merged[index].message += "; " + check.message
            }
        }
        return merged
    }

    private static func worker(
        _ id: WorkerID, _ state: Worker, _ limits: Limits
    ) -> HealthCheck {
        let name = "worker.\(id.label)"
        switch state {
        case .ready:
            return HealthCheck(name: name, status: .healthy, message: "takes orders")
        case .starting:
            return HealthCheck(name: name, status: .healthy, message: "is starting")
        case .missing(let time):
            return HealthCheck(
                name: name, status: time < limits.workerMissing ? .degraded : .critical,
                message: "takes no orders since \(time.components.seconds) s")
        case .silent(let time, let patience):
            return HealthCheck(
                name: name, status: .degraded,
                message: "has not answered for \(time.components.seconds) s; after "
                    + "\(patience.components.seconds) s it is killed and launched anew")
        case .quarantined(let why):
            return HealthCheck(name: name, status: .critical, message: why)
        case .died(let deaths):
            return HealthCheck(
                name: name, status: deaths.times < deathsInARow ? .healthy : .critical,
                message: words(of: deaths))
        }
    }

    private static func words(of deaths: Deaths) -> String {
        func clock(_ instant: Instant) -> String { "\(instant.iso8601.prefix(19))Z" }
        let died =
            deaths.times == 1
            ? "died at \(clock(deaths.at)) (it \(deaths.last))"
            : "died \(deaths.times) times in a row, the last time at \(clock(deaths.at)) "
                + "(it \(deaths.last))"
        guard let since = deaths.worksSince, let forgotten = deaths.forgottenAt else {
            return "\(died) and takes no orders; it is launched again"
        }
        guard deaths.times >= deathsInARow else {
            return "takes orders again since \(clock(since)); \(died)"
        }
        return "\(died), and takes orders again since \(clock(since)); healthy again at "
            + "\(clock(forgotten)) unless it dies before"
    }

    private static func failures(
        _ name: String, _ recent: (failed: Int, all: Int), _ limits: Limits
    ) -> HealthCheck {
        let percent = recent.all == 0 ? 0 : Double(recent.failed) * 100 / Double(recent.all)
        let status: HealthStatus =
            recent.all < limits.leastExecutions || percent < limits.degradedFailurePercent
            ? .healthy : percent < limits.criticalFailurePercent ? .degraded : .critical
        return HealthCheck(
            name: name, status: status,
            message: "\(recent.failed) of the last \(recent.all) attempts failed")
    }

    private static func store(_ facts: Facts) -> HealthCheck {
        if let failure = facts.storeFailure {
            let why = facts.storeTrouble.map { ": \($0)" } ?? ""
            return HealthCheck(
                name: "store", status: .critical,
                message: "has refused to write for \(failure.components.seconds) s\(why)")
        }
        guard facts.damages.isEmpty else {
            return HealthCheck(
                name: "store", status: .critical,
                message: "is damaged: \(facts.damages.joined(separator: "; "))"
                    + "; stop the system and restore the database from a backup")
        }
        return HealthCheck(name: "store", status: .healthy, message: "writes")
    }

    private static func log(_ log: WriteAheadLog, _ limits: Limits) -> HealthCheck {
        let name = "store.wal"
        let size = "the write-ahead log has \(log.bytes >> 20) MiB"
        guard let excess = log.excess, excess >= limits.logPatience else {
            return HealthCheck(name: name, status: .healthy, message: size)
        }
        let why =
            log.readers.isEmpty
            ? "nobody is seen to read from the database now; where it stays, look for one with "
                + "\"lsof aico.db-shm\""
            : "\(log.readers.joined(separator: ", ")) reads from the database, and it cannot be "
                + "emptied before that ends; end it"
        return HealthCheck(
            name: name, status: .degraded,
            message: "\(size), more than \(limits.logBytes >> 20) MiB for "
                + "\(excess.components.seconds) s: \(why)")
    }

    private static func loop(_ lateness: Duration, _ limits: Limits) -> HealthCheck {
        HealthCheck(
            name: "loop", status: lateness <= limits.maximumLateness ? .healthy : .degraded,
            message:
                "started what was due at most \(lateness.wholeMicroseconds / 1000) ms after it "
                + "might start; how long load, places or the task's own rules held it is not in that"
        )
    }
}
