// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// The day rules of a cron expression; gives a month's matching days as a bitmask.
struct CronDays: Sendable, Hashable {
    /// Bit d is set where day d of the month matches.
    var daysOfMonth: UInt64 = 0
    /// Bit n is set for `L-n`; bit 0 for `L`.
    var daysBeforeLast: UInt64 = 0
    /// Bit d is set for `dW`, the weekday nearest to day d.
    var nearestWeekdays: UInt64 = 0
    /// `LW`, the last day of the month that is Monday to Friday.
    var lastWorkday = false
    /// Bit w is set where weekday w matches, 0 Sunday.
    var weekdays: UInt64 = 0
    /// Bit 8 * k + w is set for `w#k`, the k-th weekday w of the month, 1 to 5.
    var nthWeekdays: UInt64 = 0
    /// Bit w is set for `wL`, the last weekday w of the month.
    var lastWeekdays: UInt64 = 0
    /// Whether one of both day fields begins with `*`, so that both must match.
    var needsBoth = false

    /// Gives the matching days of a month; bit d for day d.
    ///
    /// `firstWeekday` is that of day 1, 0 Sunday; `length` the month's number of days.
    @inline(__always)
    func mask(firstWeekday: Int, length: Int) -> UInt64 {
        let all: UInt64 = (1 << UInt64(length + 1)) - 2
        var byDate = daysOfMonth
        if daysBeforeLast | nearestWeekdays != 0 || lastWorkday {
            byDate |= specialDates(firstWeekday: firstWeekday, length: length)
        }
        var byWeekday = Self.spread(weekdays, firstWeekday: firstWeekday)
        if nthWeekdays | lastWeekdays != 0 {
            byWeekday |= specialWeekdays(firstWeekday: firstWeekday, length: length)
        }
        return (needsBoth ? byDate & byWeekday : byDate | byWeekday) & all
    }

    /// Repeats a week's bits over a month's days, bit 1 being of `firstWeekday`.
    @inline(__always)
    private static func spread(_ week: UInt64, firstWeekday: Int) -> UInt64 {
        let first = UInt64(firstWeekday)
        let rotated = ((week >> first) | (week << (7 - first))) & 0x7F
        return (rotated &* 0x0000_0008_1020_4081) << 1
    }

    private func specialDates(firstWeekday: Int, length: Int) -> UInt64 {
        var result: UInt64 = 0
        func weekday(_ day: Int) -> Int { (firstWeekday + day - 1) % 7 }
        for before in 0..<length where daysBeforeLast & (1 << UInt64(before)) != 0 {
            result |= 1 << UInt64(length - before)
        }
        if lastWorkday {
            let last = weekday(length)
            result |= 1 << UInt64(length - (last == 6 ? 1 : last == 0 ? 2 : 0))
        }
        for day in 1...length where nearestWeekdays & (1 << UInt64(day)) != 0 {
            switch weekday(day) {
            case 6: result |= 1 << UInt64(day == 1 ? 3 : day - 1)
            case 0: result |= 1 << UInt64(day == length ? day - 2 : day + 1)
            default: result |= 1 << UInt64(day)
            }
        }
        return result
    }

    private func specialWeekdays(firstWeekday: Int, length: Int) -> UInt64 {
        var result: UInt64 = 0
        for weekday in 0..<7 {
            let first = 1 + (weekday - firstWeekday + 7) % 7
            for nth in 1...5 where nthWeekdays & (1 << UInt64(8 * nth + weekday)) != 0 {
                result |= 1 << UInt64(first + 7 * (nth - 1))
            }
            if lastWeekdays & (1 << UInt64(weekday)) != 0 {
                result |= 1 << UInt64(first + 7 * ((length - first) / 7))
            }
        }
        return result
    }
}
