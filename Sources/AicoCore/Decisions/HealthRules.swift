// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// How well the system is.
public enum HealthStatus: String, Sendable, CaseIterable, Comparable, Encodable {
    case healthy
    case degraded
    case critical

    /// Compares by badness.
    public static func < (left: HealthStatus, right: HealthStatus) -> Bool {
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
public struct HealthCheck: Sendable, Hashable {
    /// Its name, as `worker.user`.
    public var name: String
    /// How well it is.
    public var status: HealthStatus
    /// In words.
    public var message: String

    /// Makes a check.
    public init(name: String, status: HealthStatus, message: String) {
        self.name = name
        self.status = status
        self.message = message
    }
}

/// Judges the system by what the scheduler knows.
public enum HealthRules {
    /// What the scheduler knows of one class's worker.
    public enum Worker: Sendable, Hashable {
        /// Takes orders.
        case ready
        /// Was launched, or comes back soon.
        case starting
        /// Did not come to take orders for this long.
        case missing(Duration)
        /// Breaks the protocol, or its canary got out: takes no orders.
        case distrusted(String)
    }

    /// From where on things count as bad.
    public struct Limits: Sendable, Hashable {
        /// Failed of ended executions, in percent, from which the system is degraded.
        public var degradedFailurePercent: Double
        /// Failed of ended executions, in percent, from which it is critical.
        public var criticalFailurePercent: Double
        /// Below this many ended executions a failure rate says nothing.
        public var leastExecutions: Int
        /// A worker that takes no orders for this long is critical.
        public var workerMissing: Duration
        /// A start later than this degrades.
        public var maximumLateness: Duration

        /// Makes limits.
        public init(
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
    public struct Facts: Sendable {
        /// The classes' workers.
        public var workers: [(taskClass: TaskClass, state: Worker)]
        /// Failed and all executions that ended lately.
        public var recent: (failed: Int, all: Int)
        /// For how long the store has refused to write; nil where it writes.
        public var storeFailure: Duration?
        /// How late the loop started what was due lately, at worst.
        public var lateness: Duration
        /// What the last health check task found; empty where there was none.
        public var found: [HealthCheck]

        /// Makes facts.
        public init(
            workers: [(taskClass: TaskClass, state: Worker)] = [],
            recent: (failed: Int, all: Int) = (0, 0), storeFailure: Duration? = nil,
            lateness: Duration = .zero, found: [HealthCheck] = []
        ) {
            self.workers = workers
            self.recent = recent
            self.storeFailure = storeFailure
            self.lateness = lateness
            self.found = found
        }
    }

    /// Lists all checks; the system is as well as the worst of them.
    public static func judge(
        _ facts: Facts, limits: Limits = Limits()
    ) -> (status: HealthStatus, checks: [HealthCheck]) {
        var checks = facts.workers.map { worker($0.taskClass, $0.state, limits) }
        checks.append(failures(facts.recent, limits))
        checks.append(store(facts.storeFailure))
        checks.append(loop(facts.lateness, limits))
        checks += facts.found
        return (checks.map(\.status).max() ?? .healthy, checks)
    }

    private static func worker(
        _ taskClass: TaskClass, _ state: Worker, _ limits: Limits
    ) -> HealthCheck {
        let name = "worker.\(taskClass.name)"
        switch state {
        case .ready:
            return HealthCheck(name: name, status: .healthy, message: "takes orders")
        case .starting:
            return HealthCheck(name: name, status: .healthy, message: "is starting")
        case .missing(let time):
            return HealthCheck(
                name: name, status: time < limits.workerMissing ? .degraded : .critical,
                message: "takes no orders since \(time.components.seconds) s")
        case .distrusted(let why):
            return HealthCheck(name: name, status: .critical, message: why)
        }
    }

    private static func failures(
        _ recent: (failed: Int, all: Int), _ limits: Limits
    ) -> HealthCheck {
        let percent = recent.all == 0 ? 0 : Double(recent.failed) * 100 / Double(recent.all)
        let status: HealthStatus =
            recent.all < limits.leastExecutions || percent < limits.degradedFailurePercent
            ? .healthy : percent < limits.criticalFailurePercent ? .degraded : .critical
        return HealthCheck(
            name: "executions", status: status,
            message: "\(recent.failed) of the last \(recent.all) failed")
    }

    private static func store(_ failure: Duration?) -> HealthCheck {
        guard let failure else {
            return HealthCheck(name: "store", status: .healthy, message: "writes")
        }
        return HealthCheck(
            name: "store", status: .critical,
            message: "has refused to write for \(failure.components.seconds) s")
    }

    private static func loop(_ lateness: Duration, _ limits: Limits) -> HealthCheck {
        HealthCheck(
            name: "loop", status: lateness <= limits.maximumLateness ? .healthy : .degraded,
            message: "started what was due at most \(lateness.wholeMicroseconds / 1000) ms late")
    }
}
