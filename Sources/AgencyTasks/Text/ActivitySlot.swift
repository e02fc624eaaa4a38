// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore

/// When something happened: at a point of time, or by a clock whose zone nobody wrote down.
enum Moment: Equatable {
    case instant(Instant)
    case clock(CivilTime)

    /// Seconds since the epoch that ISO 8601 can say with four digits of a year.
    static let seconds = Int64(-62_135_596_800)...253_402_300_799

    /// Reads ISO 8601; a time without a zone is what a clock showed.
    init?(_ text: String) {
        if let instant = Instant(iso8601: text) {
            self = .instant(instant)
        } else if let instant = Instant(iso8601: text + "Z") {
            self = .clock(CivilTime(secondsSinceEpoch: instant.seconds))
        } else {
            return nil
        }
    }

    /// Reads seconds since 1970-01-01T00:00:00Z.
    init?(seconds: Double) {
        guard let whole = Int64(exactly: seconds.rounded(.down)), Self.seconds.contains(whole)
        else { return nil }
        self = .instant(Instant(seconds: whole))
    }
}

/// An hour of a day of the week: what activity is counted by.
struct ActivitySlot: Hashable {
    /// 0 is Sunday, as in cron expressions.
    var weekday: Int
    /// 0 to 23.
    var hour: Int

    init(weekday: Int, hour: Int) {
        self.weekday = weekday
        self.hour = hour
    }

    /// The slot that a clock in `zone` showed.
    init(_ moment: Moment, in zone: ZoneRules) {
        let civil =
            switch moment {
            case .instant(let instant): zone.civilTime(at: instant)
            case .clock(let civil): civil
            }
        hour = civil.hour
        weekday = CivilTime.weekday(
            daysSinceEpoch: CivilTime.daysSinceEpoch(
                year: civil.year, month: civil.month, day: civil.day))
    }
}
