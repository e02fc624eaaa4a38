// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// The rule of a POSIX TZ string: a fixed offset, or two that alternate by the year.
struct ZoneRule: Sendable, Hashable {
    /// When in a year a change happens, on the clock that is valid before it.
    enum Day: Sendable, Hashable {
        /// Day 1 to 365; 29 February is never counted.
        case julian(Int)
        /// Day 0 to 365; 29 February is counted.
        case dayOfYear(Int)
        /// Weekday 0 to 6 (0 Sunday) of week 1 to 5 of a month; week 5 is the last.
        case weekday(month: Int, week: Int, weekday: Int)
    }

    /// The summer half of the rule.
    struct Summer: Sendable, Hashable {
        let offset: Int64
        let start: Day
        let startTime: Int64
        let end: Day
        let endTime: Int64
    }

    /// Standard time's offset in seconds east of UTC.
    let standardOffset: Int64
    /// Nil without summer time.
    let summer: Summer?

    /// Finds the span of constant offset that holds a second.
    func segment(at second: Int64) -> ZoneSegment {
        guard let summer else { return ZoneSegment(offset: standardOffset) }
        let days = (second + standardOffset).floorDivided(by: 86400).quotient
        let year = CivilDate(daysSinceEpoch: days).year
        let start = self.start(of: summer, year: year)
        let end = self.end(of: summer, year: year)
        let span = start < end ? start..<end : end..<start
        let within = start < end ? summer.offset : standardOffset
        let around = start < end ? standardOffset : summer.offset
        if second < span.lowerBound {
            let before = max(
                self.start(of: summer, year: year - 1), self.end(of: summer, year: year - 1))
            return ZoneSegment(
                start: before, end: span.lowerBound, offset: around, previousOffset: within)
        }
        if second < span.upperBound {
            return ZoneSegment(
                start: span.lowerBound, end: span.upperBound, offset: within,
                previousOffset: around)
        }
        let after = min(
            self.start(of: summer, year: year + 1), self.end(of: summer, year: year + 1))
        return ZoneSegment(
            start: span.upperBound, end: after, offset: around, previousOffset: within)
    }

    /// Whether summer time never ends: RFC 9636 writes permanent summer time as such a rule.
    static func isPermanent(_ summer: Summer, standardOffset: Int64) -> Bool {
        let rule = ZoneRule(standardOffset: standardOffset, summer: summer)
        return (2023...2026).allSatisfy { year in
            rule.end(of: summer, year: year) >= rule.start(of: summer, year: year + 1)
        }
    }

    private func start(of summer: Summer, year: Int) -> Int64 {
        Self.second(summer.start, year: year) + summer.startTime - standardOffset
    }

    private func end(of summer: Summer, year: Int) -> Int64 {
        Self.second(summer.end, year: year) + summer.endTime - summer.offset
    }

    /// The midnight that begins a day, counted from 1970-01-01T00:00:00 of the same clock.
    private static func second(_ day: Day, year: Int) -> Int64 {
        switch day {
        case .julian(let number):
            let isLeap = CivilTime.days(inMonth: 2, year: year) == 29
            let shift = isLeap && number >= 60 ? number : number - 1
            return 86400
                * (CivilTime.daysSinceEpoch(year: year, month: 1, day: 1) + Int64(shift))
        case .dayOfYear(let number):
            return 86400
                * (CivilTime.daysSinceEpoch(year: year, month: 1, day: 1) + Int64(number))
        case .weekday(let month, let week, let weekday):
            let first = CivilTime.daysSinceEpoch(year: year, month: month, day: 1)
            let shift = (weekday - CivilTime.weekday(daysSinceEpoch: first) + 7) % 7
            var day = shift + 7 * (week - 1)
            if day >= CivilTime.days(inMonth: month, year: year) { day -= 7 }
            return 86400 * (first + Int64(day))
        }
    }
}
