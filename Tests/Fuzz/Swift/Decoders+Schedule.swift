// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

@testable import AicoCore

extension Decoders {
    private static let berlin = ZoneRule(posix: "CET-1CEST,M3.5.0,M10.5.0/3").map {
        ZoneRules(name: "Berlin", initialOffset: 3600, changes: [], rule: $0)
    }

    /// The first two bytes choose when; what follows is a schedule.
    static func cron(_ bytes: [UInt8]) {
        let after = instant(bytes.prefix(2))
        let text = String(decoding: bytes.dropFirst(2), as: UTF8.self)
        guard let schedule = try? Schedule.parse(text), let berlin else { return }
        for zone in [ZoneRules.utc, berlin] { expectNext(schedule, in: zone, after: after) }
        _ = schedule.hasDays
    }

    /// The first two bytes choose when; a zone's file follows, or after a 0 a rule of POSIX.
    static func zone(_ bytes: [UInt8]) {
        let data = Array(bytes.dropFirst(2))
        let zone: ZoneRules
        if data.first == 0 {
            let text = String(decoding: data.dropFirst(), as: UTF8.self)
            guard let rule = ZoneRule(posix: text) else { return }
            zone = ZoneRules(name: "x", initialOffset: 0, changes: [], rule: rule)
        } else {
            guard let file = try? ZoneRules(name: "x", tzif: data) else { return }
            zone = file
        }
        for after in [instant(bytes.prefix(2)), Instant(seconds: -1 << 40)] {
            // A day at the poles, and what RFC 9636 permits beyond.
            expect(abs(zone.offset(at: after)) <= 200 * 3600)
            _ = zone.civilTime(at: after)
        }
        for text in ["*/7 3 * * *", "30 2 * * *", "0 0 29 2 *"] {
            guard let schedule = try? Schedule.parse(text) else { continue }
            expectNext(schedule, in: zone, after: instant(bytes.prefix(2)))
        }
    }

    /// A schedule that fires does so later, and again later than that.
    private static func expectNext(_ schedule: Schedule, in zone: ZoneRules, after: Instant) {
        for gap in DSTPolicy.Gap.allCases {
            for overlap in DSTPolicy.Overlap.allCases {
                let policy = DSTPolicy(gap: gap, overlap: overlap)
                var last = after
                for _ in 0..<3 {
                    guard
                        let next = schedule.next(
                            after: last, in: zone, created: after, dst: policy)
                    else { break }
                    expect(next > last)
                    last = next
                }
            }
        }
    }

    /// An instant of the years 1970 to 2106.
    private static func instant(_ bytes: some Sequence<UInt8>) -> Instant {
        Instant(seconds: bytes.reduce(Int64(0)) { $0 << 8 | Int64($1) } << 16)
    }
}
