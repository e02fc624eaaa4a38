// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import AicoCore

/// All that the core is told once: limits, bounds and times that are policy.
package struct CoreSettings: Sendable {
    /// Whether tasks start by the clock; requested executions always do.
    package var isEnabled = true
    /// The system's workers, by their numbers.
    package var workers = WorkerID.shipped
    /// Which of them has a type.
    package var typeWorkers: [String: WorkerID] = [:]
    /// Classes whose shipped worker did not say which types it has: it is given whatever nobody has.
    package var undescribed = Set(TaskClass.allCases)
    /// Attempts at once, of all classes together.
    package var maximumConcurrency = 10
    /// Attempts at once of each class, in all its workers; a worker's own capacity counts as well.
    package var classConcurrency: [TaskClass: Int] = [:]
    /// Bounds on how busy the machine may be.
    package var thresholds = Admission.Thresholds()
    /// How long before its instant what is sure to start then is claimed: a commit's time.
    package var claimAhead = Duration.milliseconds(5)
    /// At most this many missed instants of one task run.
    package var maximumCatchUp = 100
    /// The longest an attempt may take where neither task nor type says.
    package var classTimeouts: [TaskClass: Duration] = [
        .maintenance: .seconds(3600), .security: .seconds(3600), .agency: .seconds(1800),
        .user: .seconds(300),
    ]
    /// The same for a class that is not among these.
    package var otherTimeout = Duration.seconds(300)
    /// The longest an attempt of a type may take where the task does not say.
    package var typeTimeouts: [String: Duration] = [:]
    /// How often the machine is looked at while something waits for it.
    package var resourceCheckInterval = Duration.seconds(30)
    /// For how long a machine whose load is not known yet holds starts back; what needs an idle one
    /// waits for the measure.
    package var loadPatience = Duration.seconds(5)
    /// Until a store that refused a batch is tried again.
    package var storeRetryInterval = Duration.seconds(1)
    /// Until a boot that could not be noted is noted again.
    package var bootNoteInterval = Duration.seconds(60)
    /// How long a change that nobody waits for may wait for others to be written with.
    package var writePatience = Duration.milliseconds(5)
    /// Beyond timeout and grace, before the worker itself is suspected.
    package var backstopSlack = Duration.seconds(15)
    /// How long a worker may take to answer the ping of its launch before it is sent another.
    package var pingInterval = Duration.seconds(5)
    /// How long it may take to answer any of these; beyond, it is killed and launched anew.
    package var launchPatience = Duration.seconds(60)
    /// How often a worker that works is asked for a sign of life.
    package var heartbeatInterval = Duration.seconds(10)
    /// After this time without one health tells of it.
    package var silenceNoticed = Duration.seconds(5)
    /// How long it may take to give one.
    package var heartbeatPatience = Duration.seconds(20)
    /// How long a canary may take, seen from the scheduler; its worker's own limit is a second less.
    package var canaryPatience = Duration.seconds(10)
    /// What running attempts get to end themselves when the system stops.
    package var stopGrace = Duration.seconds(4)
    /// Until what is left at a stop is written off.
    package var stopPatience = Duration.seconds(7)
    /// A wall clock that steps back by less changes no plan.
    package var clockTolerance = Duration.seconds(1)
    /// A loop that comes back later than this after it meant to did not run meanwhile.
    package var pauseTolerance = Duration.seconds(2)
    /// No sleep of the loop is longer.
    package var longestSleep = Duration.seconds(30)
    /// A report whose time is further than this from now made it up.
    package var reportTolerance = Duration.seconds(86_400)
    /// How often health is judged after what makes nothing worse.
    package var healthInterval = Duration.seconds(1)
    /// Audit lines of one client and action that stand alone in a window; the rest is counted.
    package var auditsAlone = 10
    /// For how long they are counted.
    package var auditWindow = Duration.seconds(60)
    /// Lines of one attempt that are kept.
    package var maximumLogLines = 10_000
    /// Bytes of these lines.
    package var maximumLogBytes = 4 * 1024 * 1024
    /// Changes that wait for a store that does not write; beyond, log lines are left out.
    package var maximumWaitingChanges = 50_000
    /// Changes that can never be written which health names; of the rest it tells how many.
    package var maximumLostTold = 8
    /// Timers of each clock that one turn fires at most.
    package var timersPerTurn = 512
    /// What waits that one turn decides about at most.
    package var admissionsPerTurn = 512
    /// From where on things count as bad.
    package var health = HealthRules.Limits()
    /// After this time ready, a worker's earlier deaths are forgotten.
    package var stableAfter = Duration.seconds(60)
    /// Decides the ids that the core draws: two words of true randomness.
    package var seed: (UInt64, UInt64) = (0, 0)

    /// Makes settings of the defaults.
    package init() {}

}
