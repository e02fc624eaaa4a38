// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import AicoCore

/// All settings of one instance, checked.
///
/// `load(root:)` reads the embedded defaults and `R/etc/aico/core.yaml` above them, key by key.
package struct Configuration: Sendable, Equatable {
    /// How tasks are run.
    package var scheduler: SchedulerSettings
    /// Tasks of the system itself that `task_modules` names, sorted by id; the scheduler creates
    /// those whose type exists.
    package var builtInTasks: [BuiltInTask]
    /// Log files.
    package var logging: LoggingSettings
    /// The bus.
    package var bus: BusSettings
    /// When the system counts as unwell.
    package var health: HealthSettings
    /// Users named by number; nil where an installed system looks them up by name.
    package var identities: UserIdentities?
    /// Where the instance keeps its parts.
    package var layout: InstanceLayout
}

/// How tasks are run; section `scheduler`.
package struct SchedulerSettings: Sendable, Equatable {
    /// Whether tasks start by the clock; manual runs always do.
    package var isEnabled: Bool
    /// Attempts at once, of all classes together.
    package var maximumConcurrency: Int
    /// Attempts at once of each class; a profile's own limit counts as well.
    package var classConcurrency: [TaskClass: Int]
    /// Bounds on how busy the machine may be.
    package var thresholds: Admission.Thresholds
    /// How often the machine is looked at.
    package var resourceCheckInterval: Duration
    /// Whether workers are asked for their types at start.
    package var autoDiscover: Bool
    /// The four workers, and those that are launched beside them.
    package var workers: [WorkerID]
    /// Until a store that refused a batch is tried again.
    package var retryInterval: Duration
    /// Reports of one worker that one transaction takes.
    package var batchSize: Int
    /// Starts and ends that statistics remember.
    package var cacheSize: Int
    /// Retries of tasks that say nothing else.
    package var retry: RetryPolicy
    /// How long resources may put a start off.
    package var maximumDefer: Duration
    /// From the request to end to the kill.
    package var grace: Duration
    /// IANA name of the zone of tasks that name none.
    package var timeZone: String
    /// How far back missed starts count.
    package var catchUpWindow: Duration
    /// At most this many missed starts of one task run.
    package var maximumCatchUp: Int

    /// The policies of a task that says nothing.
    package var defaultPolicies: TaskPolicies {
        TaskPolicies(
            grace: grace, retry: retry, catchUpWindow: catchUpWindow, maximumDefer: maximumDefer)
    }
}
