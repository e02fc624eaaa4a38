// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import AicoCore
import AicoWire

/// A task that the system creates for itself at first start.
package struct BuiltInTask: Sendable, Equatable {
    /// Its id, as the requirements give it; the id of its type too.
    package var id: TaskID
    /// When it runs.
    package var schedule: Schedule
    /// IANA name of the zone of its schedule.
    package var timeZone: String
    /// Whether it is created enabled.
    package var isEnabled: Bool
    /// How it is run.
    package var policies: TaskPolicies
    /// What its type is given.
    package var config: [String: JSONValue]

    /// The id of its type.
    package var type: String { id.text }
}
