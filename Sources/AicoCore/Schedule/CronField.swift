// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// One of the six fields of a cron expression.
package enum CronField: UInt8, CaseIterable, Sendable, Hashable {
    case second
    case minute
    case hour
    case dayOfMonth
    case month
    case dayOfWeek

    /// The field's name in messages, as `day-of-month`.
    package var name: String {
        switch self {
        case .second: "second"
        case .minute: "minute"
        case .hour: "hour"
        case .dayOfMonth: "day-of-month"
        case .month: "month"
        case .dayOfWeek: "day-of-week"
        }
    }

    /// The numbers that may be written; in day-of-week 0 and 7 are both Sunday.
    package var range: ClosedRange<Int> {
        switch self {
        case .second, .minute: 0...59
        case .hour: 0...23
        case .dayOfMonth: 1...31
        case .month: 1...12
        case .dayOfWeek: 0...7
        }
    }

    /// Three-letter names from `firstNamedValue` on; empty where the field has none.
    var names: [String] {
        switch self {
        case .second, .minute, .hour, .dayOfMonth: []
        case .month:
            ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
        case .dayOfWeek: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
        }
    }

    /// The value of the first name: January is 1, Sunday is 0.
    var firstNamedValue: Int { self == .month ? 1 : 0 }

    /// What a value may look like, for hints.
    var valueHint: String {
        let numbers = RangeText.bounds(range)
        switch self {
        case .second, .minute, .hour, .dayOfMonth: return numbers
        case .month: return "\(numbers) or jan to dec"
        case .dayOfWeek: return "\(numbers) (0 and 7 are Sunday) or sun to sat"
        }
    }
}
