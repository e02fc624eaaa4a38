// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Testing

@testable import AicoCore

/// Rules of POSIX whose changes do not keep to their years.
@Suite struct ZoneRuleTests {
    static let rules = [
        // The first Sunday of January at -1:00 is in the year before where January begins with it.
        "EST5EDT,M1.1.0/-1,M11.1.0/167", "EST5EDT,M1.1.0/-167,M7.1.0", "EST5EDT,M7.1.0,M12.5.0/167",
        // The first of the year in some years only.
        "EST5EDT,J10,M1.2.0", "EST5EDT,59,J60", "EST5EDT,M2.5.0,J60/167",
        // Both at once, and on the year's edge.
        "EST5EDT,0/0,J1/1", "EST5EDT,J365/24,J1/-24",
        // As those of countries are.
        "CET-1CEST,M3.5.0,M10.5.0/3", "<-02>2<-01>,M3.5.0/-1,M10.5.0/0",
        "NZST-12NZDT,M9.5.0,M4.1.0/3",
    ]

    /// Without that a search for the next firing never ends.
    @Test(arguments: rules) func everySecondIsInItsSpanAndSpansMeet(text: String) throws {
        let rule = try #require(ZoneRule(posix: text))
        var second: Int64 = 946_684_800  // 2000-01-01
        var spans = 0
        while second < 2_840_140_800 {  // 2060-01-01
            let span = rule.segment(at: second)
            guard span.start <= second, second < span.end else {
                Issue.record("\(second) is not in \(span)")
                return
            }
            #expect(rule.segment(at: span.start) == span)
            #expect(rule.segment(at: span.end - 1) == span)
            #expect(rule.segment(at: span.end).start == span.end)
            #expect(rule.segment(at: span.end).previousOffset == span.offset)
            second = span.end
            spans += 1
        }
        #expect((60...122).contains(spans))
    }

    /// What glibc says, by date(1).
    @Test(arguments: [
        ("EST5EDT,M1.1.0/-1,M11.1.0/167", 1_672_545_599, -18000),
        ("EST5EDT,M1.1.0/-1,M11.1.0/167", 1_672_545_600, -14400),
        ("EST5EDT,M1.1.0/-1,M11.1.0/167", 1_672_549_200, -14400),
    ])
    func offsetIsThatOfTheSystemsLibrary(rule: String, second: Int64, offset: Int64) throws {
        #expect(try #require(ZoneRule(posix: rule)).segment(at: second).offset == offset)
    }

    @Test(arguments: rules) func aSearchEnds(text: String) throws {
        let rule = try #require(ZoneRule(posix: text))
        let zone = ZoneRules(name: "x", initialOffset: 0, changes: [], rule: rule)
        let after = Instant(seconds: 1_672_531_199)
        for schedule in ["*/7 3 * * *", "30 2 * * *", "0 0 29 2 *", "0 0 30 2 *"] {
            var last = after
            for _ in 0..<3 {
                guard
                    let next = try Schedule.parse(schedule).next(
                        after: last, in: zone, created: after)
                else { break }
                #expect(next > last)
                last = next
            }
        }
    }
}
