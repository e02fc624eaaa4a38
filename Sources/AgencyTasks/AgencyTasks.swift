// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

public import TaskKit

/// The task types of class agency.
public enum AgencyTasks {
    /// What the worker of the class offers.
    public static let types: [any ScheduledTask.Type] = [BackgroundLearning.self]
}
