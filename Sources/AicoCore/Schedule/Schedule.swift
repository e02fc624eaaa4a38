// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// When a task runs: a cron expression, a fixed grid, a single instant, or at each start.
package struct Schedule: Sendable, Hashable, CustomStringConvertible {
    /// The kinds of schedule.
    package enum Kind: Sendable, Hashable {
        /// By the clock of the task's zone.
        case cron(CronExpression)
        /// Every so many seconds, on a grid that begins at the task's creation.
        case interval(seconds: Int64)
        /// Once.
        case at(Instant)
        /// At each start of the scheduler; never by the clock.
        case reboot
    }

    /// The longest text of a schedule, in bytes.
    package static let maximumBytes = 1024
    /// The largest interval: ten years of 365 days, in seconds.
    package static let maximumInterval: Int64 = 10 * 365 * 86400

    /// What it is.
    package let kind: Kind
    /// The text that it was read from, without spaces around.
    package let text: String

    /// The text that it was read from.
    package var description: String { text }

    /// Reads a cron expression, a macro, `@reboot`, `interval:300` (or `5m`) or `at:ISO8601`.
    package static func parse(_ text: String) throws(ScheduleError) -> Schedule {
        guard text.utf8.count <= maximumBytes else {
            throw ScheduleError(
                text: "\(text.prefix(32))...", field: nil, part: "\(text.prefix(32))...",
                reason: "it has \(text.utf8.count) bytes, the limit is \(maximumBytes)",
                hint: "make several tasks of it")
        }
        let trimmed = trim(text)
        if trimmed == "@reboot" { return Schedule(kind: .reboot, text: trimmed) }
        if let rest = trimmed.dropping(prefix: "interval:") {
            return Schedule(kind: try interval(rest, text: trimmed), text: trimmed)
        }
        if let rest = trimmed.dropping(prefix: "at:") {
            guard let instant = Instant(iso8601: rest) else {
                throw ScheduleError(
                    text: trimmed, field: nil, part: trimmed,
                    reason: "\"at:\" needs a date, a time and a zone",
                    hint: "write at:2025-01-15T10:00:00Z or at:2025-01-15T11:00:00+01:00")
            }
            return Schedule(kind: .at(instant), text: trimmed)
        }
        return Schedule(kind: .cron(try CronExpression(trimmed)), text: trimmed)
    }

    private static func interval(
        _ digits: Substring, text: String
    ) throws(ScheduleError) -> Kind {
        func refusal(_ reason: String, _ hint: String) -> ScheduleError {
            ScheduleError(text: text, field: nil, part: text, reason: reason, hint: hint)
        }
        guard let span = SpanText(digits) else {
            throw refusal(
                "\"interval:\" needs a whole number of seconds, or one with s, m, h or d",
                "write interval:300 or interval:5m for every five minutes")
        }
        let seconds = span.seconds
        guard seconds > 0 else { throw refusal("the shortest is 1 s", "write interval:1") }
        guard seconds <= maximumInterval else {
            throw refusal(
                "the longest is \(maximumInterval) s", "write a cron expression such as @yearly")
        }
        guard span.isSimple else {
            throw refusal("\"interval:\" takes one unit", "write \(span.interval)")
        }
        return .interval(seconds: seconds)
    }

    private static func trim(_ text: String) -> String {
        let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0.isNewline }
        let start = text.drop(while: isSpace)
        let end = start.lastIndex { !isSpace($0) }
        return end.map { String(start[...$0]) } ?? ""
    }
}

extension String {
    fileprivate func dropping(prefix: String) -> Substring? {
        hasPrefix(prefix) ? dropFirst(prefix.count) : nil
    }
}
