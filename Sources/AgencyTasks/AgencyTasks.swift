// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import TaskKit

/// The task types of class agency.
package enum AgencyTasks {
    /// What the worker of the class offers.
    package static let types: [any ScheduledTask.Type] = [BackgroundLearning.self]
}
