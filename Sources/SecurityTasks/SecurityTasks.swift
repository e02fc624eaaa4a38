// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import TaskKit

/// The types of class security.
package enum SecurityTasks {
    /// What `aico-worker-security` offers.
    package static let types: [any ScheduledTask.Type] = [IntegrityCheck.self]
}
