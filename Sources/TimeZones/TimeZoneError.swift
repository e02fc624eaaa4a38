// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Says why a time zone cannot be used, and what to type instead.
package struct TimeZoneError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The refused name.
    package let name: String
    /// Why, in words.
    package let reason: String
    /// What to do about it.
    package let hint: String

    /// The error without its hint.
    package var message: String { "cannot use time zone \"\(name)\": \(reason)" }

    /// The reason and, where there is one, what to type instead.
    package var description: String { "\(message); \(hint)" }
}
