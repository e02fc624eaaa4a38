// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Testing
import TimeZones

@Suite struct ScheduleTests {
    private static let created = Instant(seconds: 1_700_000_000)

    private func next(_ text: String, after: String, zone: ZoneRules = .utc) throws -> String? {
        let start = try #require(Instant(iso8601: after))
        return try Schedule.parse(text)
            .next(after: start, in: zone, created: Self.created)?.iso8601
    }

    @Test(arguments: ["0 0 30 2 *", "0 0 31 2,4,6,9,11 *", "0 0 30W 2 *"])
    func whatCanNeverFireGivesNil(_ text: String) throws {
        let schedule = try Schedule.parse(text)
        #expect(schedule.next(after: Self.created, in: .utc, created: Self.created) == nil)
        let berlin = try TimeZoneStore.load("Europe/Berlin")
        #expect(schedule.next(after: Self.created, in: berlin, created: Self.created) == nil)
    }

    @Test func aFifthMondayInFebruaryIsFoundDecadesAhead() throws {
        #expect(try next("0 0 * 2 mon#5", after: "2072-03-01T00:00:00Z") == "2112-02-29T00:00:00Z")
    }

    @Test(arguments: [
        ("0 0 L * *", "2024-02-01T00:00:00Z", "2024-02-29T00:00:00Z"),
        ("0 0 L-2 * *", "2025-02-01T00:00:00Z", "2025-02-26T00:00:00Z"),
        ("0 0 LW * *", "2025-08-01T00:00:00Z", "2025-08-29T00:00:00Z"),
        ("0 0 15W * *", "2025-02-01T00:00:00Z", "2025-02-14T00:00:00Z"),
        ("0 0 1W * *", "2025-01-31T00:00:00Z", "2025-02-03T00:00:00Z"),
        ("0 0 31W * *", "2025-08-02T00:00:00Z", "2025-08-29T00:00:00Z"),
        ("0 0 * * mon#1", "2025-01-07T00:00:00Z", "2025-02-03T00:00:00Z"),
        ("0 0 * * 5L", "2025-01-01T00:00:00Z", "2025-01-31T00:00:00Z"),
        ("0 0 * * sunl", "2025-01-01T00:00:00Z", "2025-01-26T00:00:00Z"),
        ("0 0 1,L * *", "2025-01-02T00:00:00Z", "2025-01-31T00:00:00Z"),
    ])
    func specialDaysAreFound(_ text: String, _ after: String, _ expected: String) throws {
        #expect(try next(text, after: after) == expected)
    }

    @Test func aLeadingSecondsFieldCountsSeconds() throws {
        #expect(
            try nextTimes("*/20 59 23 * * *", in: "UTC", after: "2025-01-01T23:59:10Z", count: 3)
                == ["2025-01-01T23:59:20Z", "2025-01-01T23:59:40Z", "2025-01-02T23:59:00Z"])
    }

    @Test func anInstantFiresOnceAndNotAfterIt() throws {
        let text = "at:2025-01-15T11:00:00.5+01:00"
        #expect(try next(text, after: "2025-01-15T09:59:59Z") == "2025-01-15T10:00:00.500000Z")
        #expect(try next(text, after: "2025-01-15T10:00:00.5Z") == nil)
    }

    @Test func rebootNeverFiresByTheClock() throws {
        #expect(try Schedule.parse("@reboot").kind == .reboot)
        #expect(try next("@reboot", after: "2025-01-01T00:00:00Z") == nil)
    }

    @Test func anIntervalIsAGridThroughItsCreation() throws {
        // Before it too, for a clock that was set back.
        #expect(try next("interval:60", after: "2023-11-14T20:00:00Z") == "2023-11-14T20:00:20Z")
        #expect(try next("interval:60", after: "2023-11-14T22:13:20Z") == "2023-11-14T22:14:20Z")
        #expect(try next("interval:60", after: "2023-11-14T22:14:20Z") == "2023-11-14T22:15:20Z")
    }

    @Test(arguments: [
        ("interval:300", 300), ("interval:300s", 300), ("interval:5m", 300),
        ("interval:2h", 7200), ("interval:3650d", 315_360_000),
    ])
    func anIntervalMayHaveAUnit(_ text: String, _ seconds: Int64) throws {
        let schedule = try Schedule.parse(text)
        #expect(schedule.kind == .interval(seconds: seconds))
        #expect(schedule.text == text)
    }

    /// What a hint says to write is itself a schedule.
    @Test(arguments: [
        "@every 5m", "@every 1h30m", "@every 90s", "@every x", "@every", "interval:1h30m",
        "interval:", "0 0 ? * *", "?/5 * * * *", "@dayly", "interval:0", "at:soon", "@every 0s",
        "@every 4000d", "interval:4000d", "@dayly 5", "@daily 5", "?-3 * * * *", "1,? * * * *",
    ])
    func whatAHintNamesIsAccepted(_ text: String) throws {
        let error = #expect(throws: ScheduleError.self) { try Schedule.parse(text) }
        let hint = try #require(error?.hint)
        let word = try #require(hint.split(separator: " ").last { $0.contains(/[@:*]/) })
        // Hints of fields name the field's text alone.
        let isField = error?.field != nil
        _ = try Schedule.parse(isField ? "\(word) * * * *" : String(word))
    }

    @Test(arguments: [
        ("0 0 30 2 *", false), ("0 0 29 2 *", true), ("0 0 * 2 mon#5", true), ("@reboot", true),
        ("0 0 31 2,4,6,9,11 *", false), ("at:2020-01-01T00:00:00Z", true), ("interval:5m", true),
    ])
    func daysThatNeverComeAreKnown(_ text: String, _ hasDays: Bool) throws {
        #expect(try Schedule.parse(text).hasDays == hasDays)
    }

    @Test func spacesAroundAreNotPartOfTheText() throws {
        #expect(try Schedule.parse(" 0 2 * * *\n").text == "0 2 * * *")
    }

    @Test func farAwayInstantsEndTheSearchWithoutOverflow() throws {
        let schedule = try Schedule.parse("* * * * *")
        let last = Instant(microseconds: .max - 1_000_000)
        _ = schedule.next(after: last, in: .utc, created: last)
        let grid = try Schedule.parse("interval:60")
        #expect(grid.next(after: last, in: .utc, created: Instant(microseconds: 0)) == nil)
        #expect(grid.next(after: last, in: .utc, created: Instant(microseconds: .min)) == nil)
    }

    @Suite struct Refusals {
        @Test(arguments: [
            ("61 * * * *", "cannot read minute \"61\": the largest is 59; write 0 to 59"),
            (
                "5/15 * * * *",
                "cannot read minute \"5/15\": a step needs a range or *; write 5-59/15"
            ),
            (
                "0 0 * feb-jan *",
                "cannot read month \"feb-jan\": the range runs backwards; write feb-12,1-jan"
            ),
            (
                "0 0 * * friday",
                "cannot read day-of-week \"friday\": names have three letters; "
                    + "write fri for \"friday\""
            ),
            (
                "0 0 0 * *",
                "cannot read day-of-month \"0\": the smallest is 1; write 1 to 31"
            ),
            ("*/0 * * * *", "cannot read minute \"*/0\": a step of 0 never moves; write */1 or *"),
            (
                "@Weekly",
                "cannot read schedule \"@Weekly\": there is no such shorthand; write @weekly"
            ),
            (
                "* * * *",
                "cannot read schedule \"* * * *\": it has 4 fields instead of 5; "
                    + "write minute hour day-of-month month day-of-week, as in \"0 2 * * *\""
            ),
            (
                "",
                "cannot read schedule \"\": it is empty; "
                    + "write minute hour day-of-month month day-of-week, as in \"0 2 * * *\""
            ),
            (
                "interval:1h30m",
                "cannot read schedule \"interval:1h30m\": \"interval:\" takes one unit; "
                    + "write interval:5400"
            ),
            (
                "interval:5x",
                "cannot read schedule \"interval:5x\": \"interval:\" needs a whole number of "
                    + "seconds, or one with s, m, h or d; "
                    + "write interval:300 or interval:5m for every five minutes"
            ),
            (
                "interval:4000d",
                "cannot read schedule \"interval:4000d\": the longest is 315360000 s; "
                    + "write a cron expression such as @yearly"
            ),
            (
                "@every 5m",
                "cannot read schedule \"@every\": intervals are written in another way; "
                    + "write interval:5m"
            ),
            (
                "@every 1h30m",
                "cannot read schedule \"@every\": intervals are written in another way; "
                    + "write interval:5400"
            ),
            (
                "@every minute",
                "cannot read schedule \"@every\": intervals are written in another way; "
                    + "write interval:5m for every five minutes"
            ),
            (
                "CRON_TZ=Europe/Berlin 0 2 * * *",
                "cannot read schedule \"CRON_TZ=Europe/Berlin\": a schedule carries no variables; "
                    + "write \"0 2 * * *\", and the zone apart: --timezone Europe/Berlin"
            ),
            (
                "TZ=\"Asia/Tokyo\" @daily",
                "cannot read schedule \"TZ=\"Asia/Tokyo\"\": a schedule carries no variables; "
                    + "write \"@daily\", and the zone apart: --timezone Asia/Tokyo"
            ),
            (
                "MAILTO=me 0 2 * * *",
                "cannot read schedule \"MAILTO=me\": a schedule carries no variables; "
                    + "write \"0 2 * * *\""
            ),
            (
                "MAILTO=me CRON_TZ=UTC A= 0 2 * * *",
                "cannot read schedule \"MAILTO=me\": a schedule carries no variables; "
                    + "write \"0 2 * * *\""
            ),
            (
                String(repeating: "a= ", count: 4000),
                "cannot read schedule \"a= a= a= a= a= a= a= a= a= a= a=...\": it has 12000 bytes, "
                    + "the limit is 1024; make several tasks of it"
            ),
            (
                "CRON_TZ=UTC",
                "cannot read schedule \"CRON_TZ=UTC\": a schedule carries no variables; "
                    + "write minute hour day-of-month month day-of-week, as in \"0 2 * * *\", "
                    + "and the zone apart: --timezone UTC"
            ),
            (
                "interval:0",
                "cannot read schedule \"interval:0\": the shortest is 1 s; write interval:1"
            ),
            (
                "at:2025-01-15T10:00:00",
                "cannot read schedule \"at:2025-01-15T10:00:00\": \"at:\" needs a date, a time "
                    + "and a zone; write at:2025-01-15T10:00:00Z or at:2025-01-15T11:00:00+01:00"
            ),
            (
                "0 0 ? * mon",
                "cannot read day-of-month \"?\": ? is of another dialect, * says the same here; "
                    + "write *"
            ),
            (
                "?/5 * * * *",
                "cannot read minute \"?/5\": ? is of another dialect, * says the same here; "
                    + "write */5"
            ),
            (
                "0 0 * * mon#6",
                "cannot read day-of-week \"mon#6\": \"#\" joins a weekday and a number from 1 "
                    + "to 5; write mon#1 for the first Monday of the month"
            ),
        ])
        func nameFieldReasonAndWhatToType(_ text: String, _ message: String) {
            let error = #expect(throws: ScheduleError.self) { try Schedule.parse(text) }
            #expect(error?.description == message)
        }
    }
}
