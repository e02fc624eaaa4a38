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
    /// Whether both changes of a year lie within it, always in the same order.
    private let isPlain: Bool

    init(standardOffset: Int64, summer: Summer?) {
        self.standardOffset = standardOffset
        self.summer = summer
        isPlain = summer.map(Self.isPlain) ?? true
    }

    /// Finds the span of constant offset that holds a second.
    func segment(at second: Int64) -> ZoneSegment {
        guard let summer else { return ZoneSegment(offset: standardOffset) }
        let days = (second + standardOffset).floorDivided(by: 86400).quotient
        let year = CivilDate(daysSinceEpoch: days).year
        guard isPlain else { return segment(at: second, of: summer, year: year) }
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

    /// The same for a change that may fall into the year before or after its own, as by times
    /// from -167 to 167 hours, or that is the first of its year in some years only.
    private func segment(at second: Int64, of summer: Summer, year: Int) -> ZoneSegment {
        var changes: [(at: Int64, offset: Int64)] = []
        for year in year - 2...year + 2 {
            changes.append((start(of: summer, year: year), summer.offset))
            changes.append((end(of: summer, year: year), standardOffset))
        }
        // Of two at once the later one counts: a summer may be empty, or follow the one before.
        let order = changes.indices.sorted { (changes[$0].at, $0) < (changes[$1].at, $1) }
        changes = order.map { changes[$0] }
        // Years before and after have some on either side.
        let next = changes.firstIndex { $0.at > second } ?? changes.count - 1
        let start = changes[next - 1].at
        let before = changes.lastIndex { $0.at < start } ?? next - 1
        return ZoneSegment(
            start: start, end: changes[next].at, offset: changes[next - 1].offset,
            previousOffset: changes[before].offset)
    }

    private static func isPlain(_ summer: Summer) -> Bool {
        // Offsets move a change by a day at most.
        let margin: Int64 = 2 * 86400
        let start = seconds(of: summer.start, time: summer.startTime)
        let end = seconds(of: summer.end, time: summer.endTime)
        return [start, end].allSatisfy { change in
            change.lowerBound > margin && change.upperBound < 365 * 86400 - margin
        }
            && (start.upperBound + margin < end.lowerBound
                || end.upperBound + margin < start.lowerBound)
    }

    /// When a change can be, in seconds since its year's begin.
    private static func seconds(of day: Day, time: Int64) -> ClosedRange<Int64> {
        let days: ClosedRange<Int64>
        switch day {
        case .julian(let number): days = Int64(number) - 1...Int64(number)
        case .dayOfYear(let number): days = Int64(number)...Int64(number)
        case .weekday(let month, let week, _):
            let first =
                CivilTime.daysSinceEpoch(year: 2023, month: month, day: 1)
                - CivilTime.daysSinceEpoch(year: 2023, month: 1, day: 1)
            // The fifth may be the fourth, and all are a day later after a 29 February.
            days = first + 7 * Int64(min(week, 4) - 1)...first + 7 * Int64(week)
        }
        return days.lowerBound * 86400 + time...days.upperBound * 86400 + time
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
