// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Testing
import TimeZones

@testable import AicoCommands

struct HumanTimeTests {
    private static let now = CommandRun.now

    @Test(
        arguments: [
            (0.0, "now"), (0.4, "now"), (-0.4, "now"), (-0.5, "1 s ago"), (1, "in 1 s"),
            (59.4, "in 59 s"), (59.9, "in 1 min"), (60, "in 1 min"), (89, "in 1 min"),
            (91, "in 2 min"), (-3, "3 s ago"), (3569, "in 59 min"), (3599, "in 1 h"),
            (5400, "in 2 h"), (5399, "in 1 h"), (-32_399.75, "9 h ago"), (84_600, "in 1 d"),
            (84_599, "in 23 h"), (-86_400, "1 d ago"), (5_097_600, "in 59 d"),
            (5_183_999, "in 60 d"), (5_184_000, "2026-03-16"),
            (-34_560_000, "2024-12-11"),
        ] as [(Double, String)])
    func relative(seconds: Double, expected: String) {
        #expect(HumanTime.relative(Self.now + .seconds(seconds), to: Self.now) == expected)
    }

    @Test func relativeSurvivesTheEndsOfTime() {
        for instant in [Instant(microseconds: .min), Instant(microseconds: .max)] {
            #expect(HumanTime.relative(instant, to: Self.now).count == 10)
        }
    }

    @Test(
        arguments: [
            (0.0, "0 ms"), (0.0004, "0.4 ms"), (0.004, "4 ms"), (0.0994, "99 ms"), (0.25, "0.25 s"),
            (1.25, "1.3 s"), (9.94, "9.9 s"), (9.96, "10 s"), (59.4, "59 s"), (59.6, "1 min"),
            (75, "1 min 15 s"), (3599.4, "59 min 59 s"), (3599.6, "1 h"), (3600, "1 h"),
            (3725, "1 h 2 min"), (3779, "1 h 3 min"), (7199, "2 h"), (86_399, "1 d"),
            (90_000, "1 d 1 h"), (91_799, "1 d 1 h"), (91_801, "1 d 2 h"), (172_799, "2 d"),
            (-1, "?"), (.infinity, "?"), (.nan, "?"),
        ] as [(Double, String)])
    func length(seconds: Double, expected: String) {
        #expect(HumanTime.length(seconds) == expected)
    }

    @Test(arguments: [
        ("UTC", "2026-01-15 01:00:00 UTC"), ("Europe/Berlin", "2026-01-15 02:00:00 +01:00"),
        ("America/St_Johns", "2026-01-14 21:30:00 -03:30"),
    ])
    func absoluteIsTheClockOfTheZone(zone: String, expected: String) throws {
        let instant = try #require(Instant(iso8601: "2026-01-15T01:00:00Z"))
        #expect(HumanTime.absolute(instant, in: try TimeZoneStore.load(zone)) == expected)
    }

    @Test(
        arguments: [
            (0.0, "0 B"), (1023, "1023 B"), (1024, "1 KiB"), (1_572_864, "1.5 MiB"),
            (268_435_456, "256 MiB"), (5_368_709_120, "5 GiB"), (3_298_534_883_328, "3 TiB"),
        ] as [(Double, String)])
    func bytes(count: Double, expected: String) {
        #expect(HumanSize.bytes(count) == expected)
    }
}
