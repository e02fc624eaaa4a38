// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore

/// A cron expression as plain sets, made without the parser: the oracle of the property tests.
struct NaiveCron {
    var minutes: Set<Int>
    var hours: Set<Int>
    var dates: Set<Int>
    var months: Set<Int>
    var weekdays: Set<Int>
    /// A day rule as `15W` or `fri#2`, with its meaning.
    var special: Special?
    var text: String
    var isWildcard: Bool
    var needsBoth: Bool

    enum Special {
        case beforeLast(Int)
        case nearest(Int)
        case lastWorkday
        case nth(weekday: Int, Int)
        case lastWeekday(Int)
    }

    init(using random: inout SeededGenerator) {
        let minute = Self.field(0...59, using: &random)
        let hour = Self.field(0...23, using: &random)
        var date = Self.field(1...31, using: &random)
        let isAnyMonth = Int.random(in: 0..<4, using: &random) > 0
        let everyMonth = (text: "*", values: Set(1...12))
        let month = isAnyMonth ? everyMonth : Self.field(1...12, using: &random)
        var weekday = Self.field(0...6, using: &random)
        minutes = minute.values
        hours = hour.values
        dates = date.values
        months = month.values
        weekdays = weekday.values
        if Int.random(in: 0..<4, using: &random) == 0 {
            let names = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
            let day = Int.random(in: 0...6, using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0:
                let before = Int.random(in: 0...5, using: &random)
                special = .beforeLast(before)
                date = (before == 0 ? "L" : "L-\(before)", [])
            case 1:
                let near = Int.random(in: 1...31, using: &random)
                special = .nearest(near)
                date = ("\(near)W", [])
            case 2:
                special = .lastWorkday
                date = ("LW", [])
            case 3:
                let nth = Int.random(in: 1...5, using: &random)
                special = .nth(weekday: day, nth)
                weekday = ("\(names[day])#\(nth)", [])
            default:
                special = .lastWeekday(day)
                weekday = ("\(names[day])L", [])
            }
            dates = date.values
            weekdays = weekday.values
        }
        text = [minute.text, hour.text, date.text, month.text, weekday.text]
            .joined(separator: " ")
        isWildcard = minute.text.hasPrefix("*") || hour.text.hasPrefix("*")
        needsBoth = date.text.hasPrefix("*") || weekday.text.hasPrefix("*")
    }

    private static func field(
        _ range: ClosedRange<Int>, using random: inout SeededGenerator
    ) -> (text: String, values: Set<Int>) {
        let low = Int.random(in: range, using: &random)
        let high = Int.random(in: low...range.upperBound, using: &random)
        let step = Int.random(in: 1...9, using: &random)
        switch Int.random(in: 0..<6, using: &random) {
        case 0, 1: return ("*", Set(range))
        case 2:
            return (
                "*/\(step)",
                Set(stride(from: range.lowerBound, through: range.upperBound, by: step))
            )
        case 3: return ("\(low)", [low])
        case 4: return ("\(low)-\(high)/\(step)", Set(stride(from: low, through: high, by: step)))
        default: return ("\(low),\(high)", [low, high])
        }
    }

    /// Whether a minute of a clock matches, counted from 1970-01-01T00:00 of that clock.
    func matches(localMinute: Int64) -> Bool {
        let civil = CivilTime(secondsSinceEpoch: localMinute * 60)
        guard minutes.contains(civil.minute), hours.contains(civil.hour),
            months.contains(civil.month)
        else { return false }
        let day = CivilTime.daysSinceEpoch(year: civil.year, month: civil.month, day: civil.day)
        var byDate = dates.contains(civil.day)
        var byWeekday = weekdays.contains(CivilTime.weekday(daysSinceEpoch: day))
        switch special {
        case nil: break
        case .beforeLast, .nearest, .lastWorkday: byDate = isSpecial(civil)
        case .nth, .lastWeekday: byWeekday = isSpecial(civil)
        }
        return needsBoth ? byDate && byWeekday : byDate || byWeekday
    }

    private func isSpecial(_ civil: CivilTime) -> Bool {
        let length = CivilTime.days(inMonth: civil.month, year: civil.year)
        func weekday(_ day: Int) -> Int {
            CivilTime.weekday(
                daysSinceEpoch: CivilTime.daysSinceEpoch(
                    year: civil.year, month: civil.month, day: day))
        }
        func isWorkday(_ day: Int) -> Bool { (1...5).contains(weekday(day)) }
        switch special {
        case nil: return false
        case .beforeLast(let count): return civil.day == length - count
        case .nearest(let target):
            guard target <= length else { return false }
            let nearest = (1...length).filter(isWorkday).min {
                (abs($0 - target), $0) < (abs($1 - target), $1)
            }
            return civil.day == nearest
        case .lastWorkday: return civil.day == (1...length).last(where: isWorkday)
        case .nth(let wanted, let nth):
            let days = (1...length).filter { weekday($0) == wanted }
            return nth <= days.count && civil.day == days[nth - 1]
        case .lastWeekday(let wanted):
            return civil.day == (1...length).last { weekday($0) == wanted }
        }
    }

    /// Walks a zone's minutes and gives those at which the expression fires.
    func firings(in minutes: Range<Int64>, of zone: ZoneRules, policy: DSTPolicy) -> [Int64] {
        func local(_ minute: Int64) -> Int64 {
            minute + Int64(zone.offset(at: Instant(seconds: minute * 60)) / 60)
        }
        var fired: Set<Int64> = []
        // The walk begins early, so that what repeats or was shifted is known at its start.
        var latest = local(minutes.lowerBound - 3000)
        for minute in (minutes.lowerBound - 2999)..<minutes.upperBound {
            let now = local(minute)
            if isWildcard {
                if matches(localMinute: now) { fired.insert(minute) }
                continue
            }
            if now > latest + 1, local(minute - 1) == latest {
                for (index, skipped) in ((latest + 1)..<now).enumerated()
                where matches(localMinute: skipped) {
                    switch policy.gap {
                    case .skip: break
                    case .runAfter: fired.insert(minute)
                    case .shift: fired.insert(minute + Int64(index))
                    }
                }
            }
            let isSecond = now <= latest
            latest = max(latest, now)
            guard matches(localMinute: now) else { continue }
            switch policy.overlap {
            case .first where isSecond: break
            case .second where (minute + 1...minute + 180).contains { local($0) == now }: break
            case .first, .second, .both: fired.insert(minute)
            }
        }
        return fired.filter(minutes.contains).sorted()
    }
}
