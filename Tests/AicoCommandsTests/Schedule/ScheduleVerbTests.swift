// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Testing

@testable import AicoCommands

struct ScheduleVerbTests {
    @Test func checkShowsTheNextTimesByTheZonesClock() {
        let run = CommandRun(
            ["schedule", "check", "0 2 * * mon-fri", "--tz", "Europe/Berlin"])
        #expect(run.status == 0)
        #expect(
            run.output == """
                schedule   0 2 * * mon-fri
                time zone  Europe/Berlin
                next       2026-01-16 02:00:00 +01:00 (in 15 h)
                           2026-01-19 02:00:00 +01:00 (in 4 d)
                           2026-01-20 02:00:00 +01:00 (in 5 d)

                """)
        #expect(run.talk == "")
    }

    @Test(arguments: [
        (
            "0 0 31 2 *", "never",
            "it never fires: no year has such a day; write one that comes, as in \"0 2 28 2 *\""
        ),
        (
            "at:2026-01-15T10:00:00Z", "never",
            "it never fires: that instant is past; write one that is to come"
        ),
        (
            "@reboot", "at each boot",
            "it never fires by the clock: @reboot runs once after each boot of the machine"
        ),
    ])
    func whatNeverFiresIsWarnedOf(schedule: String, word: String, warning: String) throws {
        let run = CommandRun(["schedule", "check", schedule])
        #expect(run.status == 0)
        #expect(run.output.contains("next       \(word)\n"))
        #expect(run.talk == warning + "\n")
        let json = try CommandRun(["schedule", "check", schedule, "--json"]).document()
        #expect(json["next"] == [])
        #expect(json["warning"]?.string == warning)
        let next = CommandRun(["schedule", "next", schedule])
        #expect(next.status == 0)
        #expect(next.output == "")
        #expect(next.talk == warning + "\n")
    }

    @Test(arguments: [
        ("61 * * * *", "minute", "cannot read minute \"61\": the largest is 59"),
        ("* 24 * * *", "hour", "cannot read hour \"24\""),
        ("* * * 13 *", "month", "cannot read month \"13\""),
        ("* * * * moo", "day-of-week", "cannot read day-of-week \"moo\""),
        ("* * 0 * *", "day-of-month", "cannot read day-of-month \"0\""),
        ("* * *", nil, "cannot read schedule"),
        ("interval:5x", nil, "needs a whole number of seconds"),
        ("CRON_TZ=UTC 0 2 * * *", nil, "a schedule carries no variables"),
        ("at:tomorrow", nil, "needs a date, a time and a zone"),
    ])
    func checkNamesFieldAndReason(schedule: String, field: String?, message: String) throws {
        let run = CommandRun(["schedule", "check", schedule])
        #expect(run.status == 2)
        #expect(run.output == "")
        #expect(run.talk.hasPrefix("aico: cannot read "))
        #expect(run.talk.contains(message))
        #expect(run.talk.contains("\nhint: "))
        let json = CommandRun(["schedule", "check", schedule, "--json"])
        #expect(json.status == 2)
        #expect(json.talk == "")
        let document = try json.document()
        #expect(document["valid"] == false)
        #expect(document["error"]?["field"] == field.map { .string($0) } ?? .null)
        #expect(document["error"]?["message"]?.string?.contains(message) == true)
        #expect(document["error"]?["hint"]?.string?.isEmpty == false)
    }

    @Test func checkRefusesAnUnknownZone() {
        let run = CommandRun(["schedule", "check", "@daily", "--tz", "Europe/Berln"])
        #expect(run.status == 2)
        #expect(run.talk.contains("Europe/Berln"))
        #expect(run.talk.contains("Europe/Berlin"))
    }

    @Test func checkGivesOneDocument() throws {
        let run = CommandRun(["schedule", "check", "@daily", "--json"])
        #expect(run.status == 0)
        #expect(
            try run.document() == [
                "schedule": "@daily", "valid": true, "timezone": "UTC",
                "next": ["2026-01-16T00:00:00Z", "2026-01-17T00:00:00Z", "2026-01-18T00:00:00Z"],
                "warning": nil,
            ])
    }

    @Test func nextListsTimes() {
        let run = CommandRun(["schedule", "next", "@hourly", "--count", "2"])
        #expect(run.status == 0)
        #expect(run.output == "2026-01-15T11:00:00Z  in 1 h\n2026-01-15T12:00:00Z  in 2 h\n")
        let zoned = CommandRun(
            ["schedule", "next", "0 2 * * *", "--tz", "Europe/Berlin", "-c", "1"])
        #expect(
            zoned.output == "2026-01-16T01:00:00Z  2026-01-16 02:00:00 +01:00  in 15 h\n")
    }

    @Test func nextGivesOneDocument() throws {
        let run = CommandRun([
            "schedule", "next", "@hourly", "--after", "2025-01-15T10:00:00Z", "--count", "1",
            "--json",
        ])
        #expect(
            try run.document() == [
                "schedule": "@hourly", "timezone": "UTC", "after": "2025-01-15T10:00:00Z",
                "next": ["2025-01-15T11:00:00Z"],
            ])
    }

    @Test(arguments: [
        ["schedule", "next"], ["schedule", "next", "@daily", "--count", "0"],
        ["schedule", "next", "@daily", "--count", "1000001"],
        ["schedule", "next", "@daily", "--after", "now"],
        ["schedule", "next", "@daily", "--tz", "Nowhere"], ["schedule", "next", "@dayly"],
        ["schedule", "next", "@daily", "--stdin"],
    ])
    func nextRefusesWithAHint(arguments: [String]) {
        let run = CommandRun(arguments)
        #expect(run.status == 2)
        #expect(run.output == "")
        #expect(run.talk.hasPrefix("aico: cannot "))
        #expect(run.talk.contains("\nhint: "))
    }
}
