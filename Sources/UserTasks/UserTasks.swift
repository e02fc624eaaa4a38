// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import TaskKit

/// The task types of class user.
package enum UserTasks {
    /// All of them.
    package static let types: [any ScheduledTask.Type] = [CommandTask.self]
}
