// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Decides whether what is due starts now, later or not at all.
package enum Admission {
    /// Bounds on what the machine may be busy with, in percent.
    package struct Thresholds: Sendable, Hashable {
        /// Above this, nothing starts by the clock.
        package var maximumCPU: Double
        /// Above this, nothing starts by the clock.
        package var maximumMemory: Double
        /// Above this, the machine is not idle.
        package var idleCPU: Double
        /// Above this, the machine is not idle.
        package var idleMemory: Double

        /// Makes thresholds; the defaults are those of the requirements.
        package init(
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
    package struct Load: Sendable, Hashable {
        /// Of all processors' time.
        package var cpu: Double
        /// Of all memory, what is not available.
        package var memory: Double

        package init(cpu: Double, memory: Double) {
            self.cpu = cpu
            self.memory = memory
        }
    }

    /// Why something is due.
    package enum Cause: Sendable, Hashable, CaseIterable {
        /// The clock, at its time.
        case onTime
        /// The clock, for one of several instants that are all to run, one after the other.
        case oneOfAll
        /// Somebody asked for it; whether it may run beside what is open was decided then.
        case requested
        /// Its execution has begun: the next attempt.
        case furtherAttempt
    }

    /// What becomes of something that is due, as far as its own task decides.
    package enum Arrival: Sendable, Hashable {
        /// It may run beside whatever is open.
        case beside
        /// It waits in line until nothing before it is open or waits.
        case inLine
        /// It takes the place of what waits, and what is open is cancelled for it.
        case instead
        /// It does not run.
        case skip(Refusal)
    }

    /// Why it starts later.
    package enum Deferral: String, Sendable, CaseIterable {
        case overlap
        case worker
        case concurrency
        case classConcurrency = "class_concurrency"
        case cpu
        case memory
        case notIdle = "not_idle"
        /// How busy the machine is, is not known yet.
        case loadUnknown = "load_unknown"
        /// The system stops; it comes up again at the next start.
        case stopping

        /// Whether looking at the machine again is what ends it.
        package var isForResources: Bool {
            switch self {
            case .cpu, .memory, .notIdle, .loadUnknown: true
            case .overlap, .worker, .concurrency, .classConcurrency, .stopping: false
            }
        }
    }

    /// Why it does not start at all.
    package enum Refusal: String, Sendable, CaseIterable {
        case overlap
        case superseded
        case maximumDefer = "max_defer"
    }

    /// Decides by the task's own policy: overlap is its affair, whatever the machine does.
    ///
    /// - Parameters:
    ///   - open: executions of its task that have begun and are not over.
    ///   - waiting: instants of its task that wait.
    package static func arrival(
        of cause: Cause, policies: TaskPolicies, open: Int, waiting: Int
    ) -> Arrival {
        switch cause {
        case .furtherAttempt: return .beside
        case .requested: return policies.overlap == .allow ? .beside : .inLine
        case .oneOfAll: return policies.overlap == .allow ? .beside : .inLine
        case .onTime: break
        }
        switch policies.overlap {
        case .allow: return .beside
        case .skip: return open + waiting > 0 ? .skip(.overlap) : .inLine
        case .queueOne: return waiting > 0 ? .skip(.overlap) : .inLine
        case .queueAll: return .inLine
        case .cancelOld: return .instead
        }
    }

    /// Says what of the machine holds back what the clock starts; nil where nothing does.
    package static func gate(
        _ load: Load, thresholds: Thresholds, isIdleOnly: Bool
    ) -> Deferral? {
        if isIdleOnly {
            let isIdle = load.cpu <= thresholds.idleCPU && load.memory <= thresholds.idleMemory
            return isIdle ? nil : .notIdle
        }
        if load.cpu > thresholds.maximumCPU { return .cpu }
        if load.memory > thresholds.maximumMemory { return .memory }
        return nil
    }
}
