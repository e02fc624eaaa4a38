// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

extension Schedule {
    /// The last whole second that an `Instant` can hold.
    private static let lastSecond = Int64.max / 1_000_000

    /// Gives the first instant later than `after` at which the schedule fires; nil where it
    /// never does.
    ///
    /// `created` is a point of an interval's grid: its first firing after that is one interval
    /// later. The grid goes on before it, for a clock that was set back.
    package func next(
        after: Instant, in zone: ZoneRules, created: Instant, dst: DSTPolicy = DSTPolicy()
    ) -> Instant? {
        switch kind {
        case .cron(let expression):
            let search = ZonedSearch(expression: expression, zone: zone, policy: dst)
            guard let second = search.first(after: after.seconds), second <= Self.lastSecond else {
                return nil
            }
            return Instant(seconds: second)
        case .interval(let seconds):
            return Self.next(onGridOf: seconds * 1_000_000, from: created, after: after)
        case .at(let instant):
            return instant > after ? instant : nil
        case .reboot:
            return nil
        }
    }

    /// Whether some day of some year fits; the 30th of February does not. True of what is no cron
    /// expression, whenever it fires.
    package var hasDays: Bool {
        guard case .cron = kind else { return true }
        let start = Instant(seconds: 946_684_800)  // 2000-01-01: all days of 400 years follow
        return next(after: start, in: .utc, created: start) != nil
    }

    /// Gives the instants later than `after`, in order and each once.
    package func times(
        after: Instant, in zone: ZoneRules, created: Instant, dst: DSTPolicy = DSTPolicy()
    ) -> ScheduleTimes {
        ScheduleTimes(schedule: self, zone: zone, created: created, dst: dst, last: after)
    }

    private static func next(
        onGridOf interval: Int64, from created: Instant, after: Instant
    ) -> Instant? {
        let (elapsed, overflow) = after.microseconds.subtractingReportingOverflow(
            created.microseconds)
        if overflow { return nil }
        // Rounded down: the grid has no beginning for a clock that was set back behind it.
        let steps = elapsed / interval - (elapsed % interval < 0 ? 1 : 0)
        let (product, tooFar) = (steps + 1).multipliedReportingOverflow(by: interval)
        let (sum, beyond) = created.microseconds.addingReportingOverflow(product)
        return tooFar || beyond ? nil : Instant(microseconds: sum)
    }
}

/// The instants of a schedule; ends where it never fires again.
package struct ScheduleTimes: Sequence, IteratorProtocol, Sendable {
    let schedule: Schedule
    let zone: ZoneRules
    let created: Instant
    let dst: DSTPolicy
    var last: Instant

    /// Gives the next instant.
    package mutating func next() -> Instant? {
        guard let found = schedule.next(after: last, in: zone, created: created, dst: dst) else {
            return nil
        }
        last = found
        return found
    }
}
