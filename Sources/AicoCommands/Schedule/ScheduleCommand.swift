// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import ArgumentParser
import TimeZones

/// The verbs on schedules as such.
struct ScheduleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schedule",
        abstract: "Check schedules and see when they fire; needs no daemon.",
        discussion: """
            A schedule is five cron fields (minute hour day-of-month month day-of-week), six with
            leading seconds, a shorthand such as @daily, interval:SECONDS, at:ISO8601 or @reboot.
            """,
        subcommands: [ScheduleCheck.self, ScheduleNext.self, ScheduleBenchmark.self])
}

/// Values that are checked before anything is sent.
enum Checked {
    static func schedule(_ text: String) throws(Failure) -> Schedule {
        do { return try Schedule.parse(text) } catch { throw Wording.badSchedule(error) }
    }

    static func zone(_ name: String) throws(Failure) -> ZoneRules {
        do { return try TimeZoneStore.load(name) } catch { throw Wording.badZone(error) }
    }

    static func taskID(_ text: String) throws(Failure) -> TaskID {
        do { return try TaskID(text) } catch { throw Wording.badID(error) }
    }

    static func instant(_ text: String, option: String) throws(Failure) -> Instant {
        guard let instant = Instant(iso8601: text) else {
            throw Wording.badInstant(text, option: option)
        }
        return instant
    }

    /// Reads `90`, `90s`, `5m`, `1h` or `7d` as seconds.
    static func seconds(_ text: String, option: String) throws(Failure) -> Double {
        guard let seconds = span(text) else { throw Wording.badDuration(text, option: option) }
        return seconds
    }

    /// Reads an instant, or a span before now.
    static func since(_ text: String, now: Instant) throws(Failure) -> Instant {
        if let instant = Instant(iso8601: text) { return instant }
        guard let seconds = span(text) else { throw Wording.badSince(text) }
        return now - .seconds(seconds)
    }

    private static func span(_ text: String) -> Double? {
        let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86400]
        var digits = Substring(text)
        var factor = 1.0
        if let last = digits.last, let unit = units[last] {
            digits.removeLast()
            factor = unit
        }
        guard let first = digits.utf8.first, (0x30...0x39).contains(first),
            let value = Double(digits), value * factor <= 10 * 365 * 86400
        else { return nil }
        return value * factor
    }
}
