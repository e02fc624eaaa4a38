// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Finds when a cron expression fires on the clocks of a zone.
///
/// Works span by span of constant offset: within one, the zone's clock runs evenly. The
/// policy acts only where one span meets the next.
struct ZonedSearch {
    let expression: CronExpression
    let zone: ZoneRules
    let policy: DSTPolicy

    /// 400 years, after which the calendar repeats, and a year for what zones do to it.
    private static let horizon: Int64 = 401 * 31_556_952

    /// Gives the first firing second later than `after`; nil where none comes in 400 years.
    func first(after: Int64) -> Int64? {
        let earliest = after + 1
        let (limit, overflow) = after.addingReportingOverflow(Self.horizon)
        if overflow { return nil }
        var segment = zone.segment(at: earliest)
        while true {
            if let found = first(from: earliest, in: segment) { return found }
            guard segment.end < limit else { return nil }
            segment = zone.segment(at: segment.end)
        }
    }

    /// Gives the first firing second of a span that is not before `earliest`.
    private func first(from earliest: Int64, in segment: ZoneSegment) -> Int64? {
        let start = max(earliest, segment.start)
        var local = start + segment.offset
        var limit = segment.end == .max ? Int64.max : segment.end + segment.offset
        guard !expression.isWildcard else {
            return expression.firstMatch(from: local, before: limit).map { $0 - segment.offset }
        }
        if segment.start != .min, segment.previousOffset > segment.offset,
            policy.overlap == .first
        {
            local = max(local, segment.start + segment.previousOffset)
        }
        if policy.overlap == .second, segment.end != .max {
            limit = min(limit, segment.end + zone.segment(at: segment.end).offset)
        }
        let regular = expression.firstMatch(from: local, before: limit)
            .map { $0 - segment.offset }
        guard segment.start != .min, segment.previousOffset < segment.offset,
            let skipped = firstOfGap(before: segment, from: start), skipped < segment.end
        else { return regular }
        return min(skipped, regular ?? skipped)
    }

    /// Gives the first firing second, not before `start`, that stands for a time in the gap
    /// before a span.
    private func firstOfGap(before segment: ZoneSegment, from start: Int64) -> Int64? {
        let gap =
            segment.start + segment.previousOffset..<segment.start + segment.offset
        switch policy.gap {
        case .skip:
            return nil
        case .runAfter:
            guard start == segment.start,
                expression.firstMatch(from: gap.lowerBound, before: gap.upperBound) != nil
            else { return nil }
            return segment.start
        case .shift:
            let from = gap.lowerBound + (start - segment.start)
            return expression.firstMatch(from: from, before: gap.upperBound)
                .map { $0 - segment.previousOffset }
        }
    }
}
