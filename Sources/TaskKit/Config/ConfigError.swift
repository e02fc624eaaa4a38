// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Says which field of a task's config is wrong, and how to right it.
public struct ConfigError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The field's name; empty where the config as a whole is meant.
    public let field: String
    /// The rule that was broken, in words.
    public let reason: String

    /// Makes an error from its parts; thrown by a config's `validate()`.
    public init(field: String, reason: String) {
        self.field = field
        self.reason = reason
    }

    /// The error as one sentence; the field's value stays out of it.
    public var description: String {
        field.isEmpty ? "cannot use the config: \(reason)" : "cannot use \"\(field)\": \(reason)"
    }
}
