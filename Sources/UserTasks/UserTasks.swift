// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

public import TaskKit

/// The task types of class user.
public enum UserTasks {
    /// All of them.
    public static let types: [any ScheduledTask.Type] = [CommandTask.self]
}
