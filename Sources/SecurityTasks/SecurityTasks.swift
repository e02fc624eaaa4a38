// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

public import TaskKit

/// The types of class security.
public enum SecurityTasks {
    /// What `aico-worker-security` offers.
    public static let types: [any ScheduledTask.Type] = [IntegrityCheck.self]
}
