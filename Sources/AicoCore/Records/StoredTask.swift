// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// A row of `scheduled_tasks`.
package struct StoredTask: Sendable, Equatable {
    /// The largest accepted config, in bytes of JSON.
    package static let maximumConfigBytes = 64 * 1024
    /// The largest accepted policies, in bytes of JSON.
    package static let maximumPoliciesBytes = 8 * 1024

    /// Its name and its identity.
    package var key: TaskKey
    /// The task type's name (column `task_class`), as `user.command`.
    package var type: String
    /// The schedule as written, as `0 3 * * *`.
    package var schedule: String
    /// The IANA zone's name the schedule is read in.
    package var timezone: String
    /// The type's config: one JSON object in UTF-8. Sealed in the store.
    package var config: [UInt8]
    /// The policies: one JSON object in UTF-8. The scheduler owns its meaning; readable in the
    /// store.
    package var policies: [UInt8]
    /// False where the clock must not start it.
    package var enabled: Bool
    /// Who made it: `builtin`, or the bus client's name.
    package var origin: String
    /// When it was made; an interval's grid starts here.
    package var createdAt: Instant
    /// When its definition last changed.
    package var updatedAt: Instant
    /// When its last execution was claimed.
    package var lastRun: Instant?
    /// When it is due next; nil where never.
    package var nextRun: Instant?

    package init(
        key: TaskKey, type: String, schedule: String, timezone: String = "UTC",
        config: [UInt8] = Array("{}".utf8), policies: [UInt8] = Array("{}".utf8),
        enabled: Bool = true, origin: String = "builtin", createdAt: Instant,
        updatedAt: Instant, lastRun: Instant? = nil, nextRun: Instant? = nil
    ) {
        self.key = key
        self.type = type
        self.schedule = schedule
        self.timezone = timezone
        self.config = config
        self.policies = policies
        self.enabled = enabled
        self.origin = origin
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.lastRun = lastRun
        self.nextRun = nextRun
    }

    /// The task's name.
    package var id: TaskID { key.id }
}
