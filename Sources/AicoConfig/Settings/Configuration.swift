// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

public import AicoCore

/// All settings of one instance, checked.
///
/// `load(root:)` reads the embedded defaults and `R/etc/aico/core.yaml` above them, key by key.
public struct Configuration: Sendable, Equatable {
    /// How tasks are run.
    public var scheduler: SchedulerSettings
    /// Tasks of the system itself that `task_modules` names, sorted by id; the scheduler creates
    /// those whose type exists.
    public var builtInTasks: [BuiltInTask]
    /// Log files.
    public var logging: LoggingSettings
    /// The bus.
    public var bus: BusSettings
    /// When the system counts as unwell.
    public var health: HealthSettings
    /// Users named by number; nil where an installed system looks them up by name.
    public var identities: UserIdentities?
    /// Where the instance keeps its parts.
    public var layout: InstanceLayout
}

/// How tasks are run; section `scheduler`.
public struct SchedulerSettings: Sendable, Equatable {
    /// Whether tasks start by the clock; manual runs always do.
    public var isEnabled: Bool
    /// Attempts at once, of all classes together.
    public var maximumConcurrency: Int
    /// Attempts at once of each class; a profile's own limit counts as well.
    public var classConcurrency: [TaskClass: Int]
    /// Bounds on how busy the machine may be.
    public var thresholds: Admission.Thresholds
    /// How often the machine is looked at.
    public var resourceCheckInterval: Duration
    /// Whether workers are asked for their types at start.
    public var autoDiscover: Bool
    /// The four workers, and those that are launched beside them.
    public var workers: [WorkerID]
    /// Until a store that refused a batch is tried again.
    public var retryInterval: Duration
    /// Reports of one worker that one transaction takes.
    public var batchSize: Int
    /// Starts and ends that statistics remember.
    public var cacheSize: Int
    /// Retries of tasks that say nothing else.
    public var retry: RetryPolicy
    /// How long resources may put a start off.
    public var maximumDefer: Duration
    /// From the request to end to the kill.
    public var grace: Duration
    /// IANA name of the zone of tasks that name none.
    public var timeZone: String
    /// How far back missed starts count.
    public var catchUpWindow: Duration
    /// At most this many missed starts of one task run.
    public var maximumCatchUp: Int

    /// The policies of a task that says nothing.
    public var defaultPolicies: TaskPolicies {
        TaskPolicies(
            grace: grace, retry: retry, catchUpWindow: catchUpWindow, maximumDefer: maximumDefer)
    }
}
