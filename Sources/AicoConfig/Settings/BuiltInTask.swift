// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

public import AicoCore
import AicoWire

/// A task that the system creates for itself at first start.
public struct BuiltInTask: Sendable, Equatable {
    /// Its id, as the requirements give it; the id of its type too.
    public var id: TaskID
    /// When it runs.
    public var schedule: Schedule
    /// IANA name of the zone of its schedule.
    public var timeZone: String
    /// Whether it is created enabled.
    public var isEnabled: Bool
    /// How it is run.
    public var policies: TaskPolicies
    /// What its type is given.
    public var config: [String: JSONValue]

    /// The id of its type.
    public var type: String { id.text }
}
