// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Says why a text is not a schedule, and what to type instead.
package struct ScheduleError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The whole refused text.
    package let text: String
    /// The field at fault; nil where the text as a whole is.
    package let field: CronField?
    /// The part of the text at fault.
    package let part: String
    /// The broken rule, in words.
    package let reason: String
    /// What to type instead.
    package let hint: String

    package init(text: String, field: CronField?, part: String, reason: String, hint: String) {
        self.text = text
        self.field = field
        self.part = part
        self.reason = reason
        self.hint = hint
    }

    /// The error without its hint: `cannot read minute "61": the largest is 59`.
    package var message: String {
        "cannot read \(field?.name ?? "schedule") \"\(part)\": \(reason)"
    }

    /// The reason and, where there is one, what to type instead.
    package var description: String { "\(message); \(hint)" }
}
