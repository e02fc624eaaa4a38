// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

public import TaskKit

/// The types of class maintenance.
public enum MaintenanceTasks {
    /// What `aico-worker-maintenance` offers.
    public static let types: [any ScheduledTask.Type] = [
        HealthCheck.self, LogCleanup.self, DatabaseVacuum.self,
    ]
}
