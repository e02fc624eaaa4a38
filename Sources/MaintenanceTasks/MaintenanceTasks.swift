// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import TaskKit

/// The types of class maintenance.
package enum MaintenanceTasks {
    /// What `aico-worker-maintenance` offers.
    package static let types: [any ScheduledTask.Type] = [
        HealthCheckTask.self, LogCleanup.self, DatabaseVacuum.self,
    ]
}
