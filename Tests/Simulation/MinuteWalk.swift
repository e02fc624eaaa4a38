// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore

/// A schedule of the simulation's own as plain sets, and a walk through the minutes of a clock that
/// changes: what the core and the other checks ask the timetable for is held against it.
struct MinuteWalk {
    private let minutes: Set<Int>
    private let hours: Set<Int>
    private let weekdays: Set<Int>
    /// Whether it follows elapsed time.
    private let isWildcard: Bool

    /// Reads five fields of which the day and the month are any; nil where it is another schedule.
    init?(_ text: String) {
        let fields = (text == "@hourly" ? "0 * * * *" : text).split(separator: " ")
        guard fields.count == 5, fields[2] == "*", fields[3] == "*",
            let minutes = Self.values(fields[0], 0...59),
            let hours = Self.values(fields[1], 0...23),
            let weekdays = Self.values(fields[4], 0...6)
        else { return nil }
        (self.minutes, self.hours, self.weekdays) = (minutes, hours, weekdays)
        isWildcard = fields[0].hasPrefix("*") || fields[1].hasPrefix("*")
    }

    private static func values(_ field: Substring, _ all: ClosedRange<Int>) -> Set<Int>? {
        if field == "*" { return Set(all) }
        if field.hasPrefix("*/") {
            guard let step = Int(field.dropFirst(2)), step > 0 else { return nil }
            return Set(all.filter { $0 % step == 0 })
        }
        var values: Set<Int> = []
        for part in field.split(separator: ",") {
            let ends = part.split(separator: "-").compactMap { Int($0) }
            guard let low = ends.first, let high = ends.last, low <= high else { return nil }
            values.formUnion(low...high)
        }
        return values
    }

    /// Whether a minute of a clock matches, counted from 1970-01-01T00:00 of that clock.
    private func matches(_ local: Int64) -> Bool {
        let ofDay = Int((local % 1440 + 1440) % 1440)
        // The first of them was a Thursday.
        let day = Int(((local - Int64(ofDay)) / 1440 + 4) % 7 + 7) % 7
        return minutes.contains(ofDay % 60) && hours.contains(ofDay / 60)
            && weekdays.contains(day)
    }

    /// The instants later than one and not later than another.
    func instants(
        after begin: Instant, to end: Instant, in zone: ZoneRules, _ policy: DSTPolicy
    ) -> [Instant] {
        func local(_ minute: Int64) -> Int64 {
            minute + Int64(zone.offset(at: Instant(seconds: minute * 60)) / 60)
        }
        let (first, last) = (begin.seconds / 60, end.seconds / 60)
        var fired: Set<Int64> = []
        // It begins two days early: what comes twice or was shifted is known where it counts.
        var latest = local(first - 2881)
        for minute in (first - 2880)...max(first, last) {
            let now = local(minute)
            if isWildcard {
                if matches(now) { fired.insert(minute) }
                continue
            }
            if now > latest + 1, local(minute - 1) == latest {
                for (index, left) in ((latest + 1)..<now).enumerated() where matches(left) {
                    switch policy.gap {
                    case .skip: break
                    case .runAfter: fired.insert(minute)
                    case .shift: fired.insert(minute + Int64(index))
                    }
                }
            }
            let isSecond = now <= latest
            latest = max(latest, now)
            guard matches(now) else { continue }
            switch policy.overlap {
            case .first where isSecond: break
            case .second where (minute + 1...minute + 180).contains { local($0) == now }: break
            case .first, .second, .both: fired.insert(minute)
            }
        }
        return fired.sorted().map { Instant(seconds: $0 * 60) }.filter { begin < $0 && $0 <= end }
    }
}

extension TaskSpec {
    /// The instants of a stretch by another way than the timetable's, where the clock of its zone
    /// changes near it; nil where it does not, or the schedule is none for it.
    func walked(after begin: Instant, to end: Instant) -> [Instant]? {
        let near = Duration.seconds(2 * 86_400)
        guard zone.offset(at: begin - near) != zone.offset(at: end + near) else { return nil }
        return MinuteWalk(schedule.text)?.instants(
            after: begin, to: end, in: zone, policies.dst)
    }
}
