// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

extension CronExpression {
    /// The Gregorian calendar repeats after this many months, weekdays included.
    private static let cycleMonths = 400 * 12

    /// Finds the first matching second of a clock in `from..<limit`, both counted from
    /// 1970-01-01T00:00:00 of that clock.
    ///
    /// Searches at most one calendar cycle of 400 years, so a miss without a limit is a proof.
    func firstMatch(from: Int64, before limit: Int64) -> Int64? {
        guard from < limit else { return nil }
        let clock = from.floorDivided(by: 86400)
        let civil = CivilDate(daysSinceEpoch: clock.quotient)
        var year = civil.year
        var month = civil.month
        var firstDay = clock.quotient - Int64(civil.day - 1)
        var candidates: UInt64 = 0
        if months & (1 << UInt64(month)) != 0 {
            candidates = dayMask(year: year, month: month, firstDay: firstDay)
            if candidates & (1 << UInt64(civil.day)) != 0,
                let time = firstTime(atOrAfter: Int(clock.remainder))
            {
                let found = clock.quotient * 86400 + Int64(time)
                return found < limit ? found : nil
            }
            candidates &= ~((1 << UInt64(civil.day + 1)) - 1)
        }
        for _ in 0...Self.cycleMonths {
            if candidates != 0 {
                let day = firstDay + Int64(candidates.trailingZeroBitCount - 1)
                let found = day * 86400 + Int64(firstTimeOfDay)
                return found < limit ? found : nil
            }
            firstDay += Int64(CivilTime.days(inMonth: month, year: year))
            month += 1
            if month == 13 {
                month = 1
                year += 1
            }
            guard firstDay * 86400 < limit else { return nil }
            if months & (1 << UInt64(month)) != 0 {
                candidates = dayMask(year: year, month: month, firstDay: firstDay)
            }
        }
        return nil
    }

    @inline(__always)
    private func dayMask(year: Int, month: Int, firstDay: Int64) -> UInt64 {
        days.mask(
            firstWeekday: CivilTime.weekday(daysSinceEpoch: firstDay),
            length: CivilTime.days(inMonth: month, year: year))
    }

    /// The first matching second of a day; every mask has a bit, or the parser had refused.
    private var firstTimeOfDay: Int {
        hours.trailingZeroBitCount * 3600 + minutes.trailingZeroBitCount * 60
            + seconds.trailingZeroBitCount
    }

    /// Finds the first matching second of the day that is not before `time`.
    @inline(__always)
    private func firstTime(atOrAfter time: Int) -> Int? {
        let hour = time / 3600
        let minute = time / 60 % 60
        if hours & (1 << UInt64(hour)) != 0 {
            if minutes & (1 << UInt64(minute)) != 0,
                let second = Self.lowestBit(seconds, from: time % 60)
            {
                return hour * 3600 + minute * 60 + second
            }
            if let later = Self.lowestBit(minutes, from: minute + 1) {
                return hour * 3600 + later * 60 + seconds.trailingZeroBitCount
            }
        }
        guard let later = Self.lowestBit(hours, from: hour + 1) else { return nil }
        return later * 3600 + minutes.trailingZeroBitCount * 60 + seconds.trailingZeroBitCount
    }

    @inline(__always)
    private static func lowestBit(_ mask: UInt64, from bit: Int) -> Int? {
        let rest = mask & (~0 << UInt64(bit))
        return rest == 0 ? nil : rest.trailingZeroBitCount
    }
}

/// A date as fields: the part of `CivilTime` that the search needs.
struct CivilDate {
    let year: Int
    let month: Int
    let day: Int

    /// Source: Howard Hinnant, chrono-compatible low-level date algorithms, `civil_from_days`.
    @inline(__always)
    init(daysSinceEpoch days: Int64) {
        let split = (days + 719_468).floorDivided(by: 146_097)
        let dayOfEra = UInt64(split.remainder)
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        day = Int(dayOfYear - (153 * shifted + 2) / 5 + 1)
        month = Int(shifted < 10 ? shifted + 3 : shifted - 9)
        year = Int(yearOfEra) + Int(split.quotient) * 400 + (month <= 2 ? 1 : 0)
    }
}

extension Int64 {
    /// Divides with the quotient rounded down, so that the remainder is never negative.
    @inline(__always)
    func floorDivided(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
