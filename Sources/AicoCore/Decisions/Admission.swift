// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Decides whether what is due starts now, later or not at all.
public enum Admission {
    /// Bounds on what the machine may be busy with, in percent.
    public struct Thresholds: Sendable, Hashable {
        /// Above this, nothing starts by the clock.
        public var maximumCPU: Double
        /// Above this, nothing starts by the clock.
        public var maximumMemory: Double
        /// Above this, the machine is not idle.
        public var idleCPU: Double
        /// Above this, the machine is not idle.
        public var idleMemory: Double

        /// Makes thresholds; the defaults are those of the requirements.
        public init(
            maximumCPU: Double = 80, maximumMemory: Double = 80, idleCPU: Double = 20,
            idleMemory: Double = 70
        ) {
            self.maximumCPU = maximumCPU
            self.maximumMemory = maximumMemory
            self.idleCPU = idleCPU
            self.idleMemory = idleMemory
        }
    }

    /// How busy the machine is, in percent.
    public struct Load: Sendable, Hashable {
        /// Of all processors' time.
        public var cpu: Double
        /// Of all memory, what is not available.
        public var memory: Double

        /// Makes a load.
        public init(cpu: Double, memory: Double) {
            self.cpu = cpu
            self.memory = memory
        }
    }

    /// What wants to start.
    public struct Candidate: Sendable, Hashable {
        /// The task's policies.
        public var policies: TaskPolicies
        /// True where a person asked for it: resources do not hold it back.
        public var isManual: Bool
        /// Executions of its task that are open: running, or waiting for a retry.
        public var openOfTask: Int
        /// Instants of its task that wait before this one.
        public var waitingOfTask: Int
        /// How long resources have put it off.
        public var waited: Duration

        /// Makes a candidate.
        public init(
            policies: TaskPolicies, isManual: Bool = false, openOfTask: Int = 0,
            waitingOfTask: Int = 0, waited: Duration = .zero
        ) {
            self.policies = policies
            self.isManual = isManual
            self.openOfTask = openOfTask
            self.waitingOfTask = waitingOfTask
            self.waited = waited
        }
    }

    /// Where it would start.
    public struct Place: Sendable, Hashable {
        /// Whether the class's worker takes orders.
        public var isWorkerReady: Bool
        /// Free places among all classes.
        public var free: Int
        /// Free places in its class.
        public var freeInClass: Int
        /// How busy the machine is; nil where it cannot be known, and then nothing is held back.
        public var load: Load?
        /// Bounds on that.
        public var thresholds: Thresholds

        /// Makes a place.
        public init(
            isWorkerReady: Bool = true, free: Int, freeInClass: Int, load: Load? = nil,
            thresholds: Thresholds = Thresholds()
        ) {
            self.isWorkerReady = isWorkerReady
            self.free = free
            self.freeInClass = freeInClass
            self.load = load
            self.thresholds = thresholds
        }
    }

    /// Why it starts later.
    public enum Deferral: String, Sendable, CaseIterable {
        case overlap
        case worker
        case concurrency
        case classConcurrency = "class_concurrency"
        case cpu
        case memory
        case notIdle = "not_idle"

        /// Whether looking at the machine again is what ends it.
        public var isForResources: Bool {
            switch self {
            case .cpu, .memory, .notIdle: true
            case .overlap, .worker, .concurrency, .classConcurrency: false
            }
        }
    }

    /// Why it does not start at all.
    public enum Refusal: String, Sendable, CaseIterable {
        case overlap
        case maximumDefer = "max_defer"
    }

    /// The decision.
    public enum Decision: Sendable, Hashable {
        case run
        case deferred(Deferral)
        /// The open execution is to be cancelled; it starts after that.
        case cancelOld
        case skip(Refusal)
    }

    /// Decides. Overlap comes first: it is the task's own affair, whatever the machine does.
    ///
    /// Beyond `maximumDefer` a busy machine no longer holds a task back, but `idleOnly` means
    /// what it says: such a task is skipped then.
    public static func decide(_ candidate: Candidate, at place: Place) -> Decision {
        if let decision = overlap(candidate) { return decision }
        guard place.isWorkerReady else { return .deferred(.worker) }
        if let decision = resources(candidate, at: place) { return decision }
        guard place.free > 0 else { return .deferred(.concurrency) }
        guard place.freeInClass > 0 else { return .deferred(.classConcurrency) }
        return .run
    }

    private static func overlap(_ candidate: Candidate) -> Decision? {
        switch candidate.policies.overlap {
        case .allow:
            return nil
        case .skip:
            return candidate.openOfTask + candidate.waitingOfTask > 0 ? .skip(.overlap) : nil
        case .queueOne:
            if candidate.waitingOfTask > 0 { return .skip(.overlap) }
            return candidate.openOfTask > 0 ? .deferred(.overlap) : nil
        case .queueAll:
            return candidate.openOfTask + candidate.waitingOfTask > 0 ? .deferred(.overlap) : nil
        case .cancelOld:
            // The newest wins: one that waits is older than this one.
            if candidate.waitingOfTask > 0 { return .deferred(.overlap) }
            return candidate.openOfTask > 0 ? .cancelOld : nil
        }
    }

    private static func resources(_ candidate: Candidate, at place: Place) -> Decision? {
        guard !candidate.isManual, let load = place.load else { return nil }
        let isOverdue = candidate.waited >= candidate.policies.maximumDefer
        if candidate.policies.idleOnly {
            if load.cpu <= place.thresholds.idleCPU, load.memory <= place.thresholds.idleMemory {
                return nil
            }
            return isOverdue ? .skip(.maximumDefer) : .deferred(.notIdle)
        }
        if isOverdue { return nil }
        if load.cpu > place.thresholds.maximumCPU { return .deferred(.cpu) }
        if load.memory > place.thresholds.maximumMemory { return .deferred(.memory) }
        return nil
    }
}
