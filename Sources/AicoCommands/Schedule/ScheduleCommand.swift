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
        do {
            return try Schedule.parse(text)
        } catch {
            throw ErrorMessages.badSchedule(error, zone: zoneTrouble(in: error))
        }
    }

    static func zone(_ name: String) throws(Failure) -> ZoneRules {
        do { return try TimeZoneStore.load(name) } catch { throw ErrorMessages.badZone(error) }
    }

    /// Why the zone that a hint tells to write is none; nil where it is one, or none is told.
    private static func zoneTrouble(in error: ScheduleError) -> TimeZoneError? {
        guard let match = error.hint.firstMatch(of: /--timezone (.+)$/) else { return nil }
        do {
            _ = try TimeZoneStore.load(String(match.1))
            return nil
        } catch {
            return error
        }
    }

    static func taskID(_ text: String) throws(Failure) -> TaskID {
        do { return try TaskID(text) } catch { throw ErrorMessages.badID(error) }
    }

    static func instant(_ text: String, option: String) throws(Failure) -> Instant {
        guard let instant = Instant(iso8601: text) else {
            throw ErrorMessages.badInstant(text, option: option)
        }
        return instant
    }

    /// Refuses a count that is below 1; none is fine.
    static func count(_ count: Int?, option: String) throws(Failure) {
        if let count, count < 1 { throw ErrorMessages.badLeast(count, option: option) }
    }

    /// Reads an instant, or a span before now.
    static func since(_ text: String, now: Instant) throws(Failure) -> Instant {
        if let instant = Instant(iso8601: text) { return instant }
        guard let seconds = TypedSpan.seconds(text) else { throw ErrorMessages.badSince(text) }
        guard seconds >= 0 else { throw ErrorMessages.negativeSince(text) }
        guard seconds <= TypedSpan.longestPast else { throw ErrorMessages.longSince(text) }
        return now - .seconds(seconds)
    }
}
