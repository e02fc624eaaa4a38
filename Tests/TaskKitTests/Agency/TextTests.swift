// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Testing
import TimeZones

@testable import AgencyTasks

@Suite struct TextTests {
    @Test(arguments: [
        ("The cat, the HAT.", ["the", "cat", "the", "hat"]),
        ("a I 1 b2 42", ["b2", "42"]),
        ("don't well-known snake_case", ["don", "well", "known", "snake", "case"]),
        ("Straße ÄRGER Ωμέγα Привет", ["straße", "ärger", "ωμέγα", "привет"]),
        ("東京 हिन्दी ٤٢", ["東京", "हिन्दी", "٤٢"]),
        ("e\u{301}te\u{301}", ["e\u{301}te\u{301}"]),
        ("\u{301}x \u{301}", []),
        ("🙂🙂 -- \u{0}\n", []),
        ("", []),
    ])
    func terms(text: String, expected: [String]) {
        #expect(Terms.split(text) == expected)
    }

    @Test func termsAreNeitherTooShortNorTooLong() {
        let longest = String(repeating: "x", count: 64)
        #expect(Terms.split("x xx \(longest) \(longest)x end") == ["xx", longest, "end"])
        #expect(Terms.split(longest + "x").isEmpty)
    }

    @Test(arguments: [
        (#"{"time":"2025-01-15T10:00:00Z","text":"x"}"#, Int64(1_736_935_200)),
        (#"{"timestamp":"2025-01-15T10:00:00.5+01:00"}"#, 1_736_931_600),
        (#"{"time":1736935200}"#, 1_736_935_200),
        (#"{"time":1736935200.9}"#, 1_736_935_200),
        (#"{"time":-1}"#, -1),
        (#"{"time":null,"timestamp":7}"#, 7),
        (#"{"time":8,"timestamp":"not looked at"}"#, 8),
    ])
    func times(line: String, seconds: Int64) throws {
        let interaction = try #require(Interaction(line: Array(line.utf8)))
        guard case .instant(let instant)? = interaction.moment else {
            Issue.record("no instant")
            return
        }
        #expect(instant.seconds == seconds)
    }

    @Test func membersThatAreNotReadDoNotMatter() {
        let line = #" {"who":{"a":[1]},"content":"Hi","extra":null} "#
        var expected = Interaction(line: Array(#"{"text":"Hi"}"#.utf8))
        #expect(Interaction(line: Array(line.utf8)) == expected)
        expected?.text = "Ho"
        #expect(Interaction(line: Array(line.utf8)) != expected)
    }

    @Test(arguments: [
        "", "{", "[]", "7", "null", #""text""#, "{}", #"{"text":7}"#, #"{"text":null}"#,
        #"{"time":"yesterday","text":"x"}"#, #"{"time":true,"text":"x"}"#, #"{"time":1e300}"#,
        #"{"time":253402300800}"#, #"{"text":["x"]}"#, #"{"text":"a"}{"text":"b"}"#,
        #"{"text":"a","text":"b"}"#, "{\"text\":\"\u{1}\"}", #"{"note":"x"}"#,
    ])
    func linesThatAreNoInteractions(line: String) {
        #expect(Interaction(line: Array(line.utf8)) == nil)
    }

    @Test(arguments: [
        ("2025-01-15T10:00:00Z", "UTC", 3, 10),
        ("2025-01-15T23:30:00Z", "Europe/Berlin", 4, 0),
        ("2025-01-12T00:30:00Z", "America/New_York", 6, 19),
        ("2025-03-30T00:59:59Z", "Europe/Berlin", 0, 1),
        ("2025-03-30T01:00:00Z", "Europe/Berlin", 0, 3),
        ("1969-12-31T23:59:59Z", "UTC", 3, 23),
        // As the clock said, whatever the zone.
        ("2025-01-15T10:00:00", "Europe/Berlin", 3, 10),
        ("2025-01-15 23:30", "America/New_York", 3, 23),
    ])
    func hoursAndWeekdays(time: String, zone: String, weekday: Int, hour: Int) throws {
        let moment = try #require(Moment(time))
        #expect(
            ActivitySlot(moment, in: try TimeZoneStore.load(zone))
                == ActivitySlot(weekday: weekday, hour: hour))
    }
}
