// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

extension CronFieldParser {
    /// Reads `L`, `L-n`, `LW`, `nW`, `wL` and `w#k`; false where the item is none of them.
    func parseSpecial(
        _ item: Substring, into days: inout CronDays
    ) throws(ScheduleError) -> Bool {
        switch field {
        case .second, .minute, .hour, .month: return false
        case .dayOfMonth: return try parseDate(Substring(item.uppercased()), item, into: &days)
        case .dayOfWeek: return try parseWeekday(Substring(item.uppercased()), item, into: &days)
        }
    }

    private func parseDate(
        _ upper: Substring, _ item: Substring, into days: inout CronDays
    ) throws(ScheduleError) -> Bool {
        switch upper {
        case "L":
            days.daysBeforeLast |= 1
            return true
        case "LW", "WL":
            days.lastWorkday = true
            return true
        default: break
        }
        if upper.hasPrefix("L-") {
            guard let before = Self.number(upper.dropFirst(2)), (1...30).contains(before) else {
                throw refuse(
                    item, "after \"L-\" comes a number of days",
                    "write L-1 to L-30, days before the month's last")
            }
            days.daysBeforeLast |= 1 << UInt64(before)
            return true
        }
        guard upper.hasSuffix("W") else { return false }
        guard let day = Self.number(upper.dropLast()), (1...31).contains(day) else {
            throw refuse(
                item, "\"W\" follows a single day of the month",
                "write 1W to 31W, the weekday nearest to that day, or LW")
        }
        days.nearestWeekdays |= 1 << UInt64(day)
        return true
    }

    private func parseWeekday(
        _ upper: Substring, _ item: Substring, into days: inout CronDays
    ) throws(ScheduleError) -> Bool {
        if let hash = upper.firstIndex(of: "#") {
            guard let weekday = weekday(upper[..<hash]),
                let nth = Self.number(upper[upper.index(after: hash)...]),
                (1...5).contains(nth)
            else {
                throw refuse(
                    item, "\"#\" joins a weekday and a number from 1 to 5",
                    "write mon#1 for the first Monday of the month")
            }
            days.nthWeekdays |= 1 << UInt64(8 * nth + weekday)
            return true
        }
        guard upper.hasSuffix("L") else { return false }
        guard let weekday = weekday(upper.dropLast()) else {
            throw refuse(
                item, "\"L\" follows a single weekday",
                "write friL for the last Friday of the month")
        }
        days.lastWeekdays |= 1 << UInt64(weekday)
        return true
    }

    private func weekday(_ word: Substring) -> Int? {
        if let value = Self.number(word) { return value <= 7 ? value % 7 : nil }
        return field.names.firstIndex(of: word.lowercased())
    }
}
