// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Says why a time zone cannot be used, and what to type instead.
public struct TimeZoneError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The refused name.
    public let name: String
    /// Why, in words.
    public let reason: String
    /// What to do about it.
    public let hint: String

    /// The error without its hint.
    public var message: String { "cannot use time zone \"\(name)\": \(reason)" }

    /// The reason and, where there is one, what to type instead.
    public var description: String { "\(message); \(hint)" }
}
