// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Testing
import TimeZones

@Suite struct SchedulePropertyTests {
    private static let policies: [DSTPolicy] = DSTPolicy.Gap.allCases.flatMap { gap in
        DSTPolicy.Overlap.allCases.map { DSTPolicy(gap: gap, overlap: $0) }
    }

    /// Zones and hours shortly before their clocks change.
    private static let changes: [(zone: String, near: String)] = [
        ("America/New_York", "2016-03-13T07:00:00Z"), ("America/New_York", "2035-11-04T06:00:00Z"),
        ("Australia/Lord_Howe", "2017-04-01T15:00:00Z"),
        ("Australia/Lord_Howe", "2040-10-06T15:30:00Z"),
        ("Europe/Berlin", "2025-03-30T01:00:00Z"), ("Europe/Dublin", "2039-10-30T01:00:00Z"),
        ("Africa/Casablanca", "2026-02-15T02:00:00Z"),
        ("Antarctica/Troll", "2026-03-29T01:00:00Z"),
        ("America/Sao_Paulo", "2018-11-04T03:00:00Z"),
        ("America/Sao_Paulo", "2018-02-18T02:00:00Z"),
        ("America/St_Johns", "2010-11-07T02:31:00Z"), ("Asia/Hebron", "2022-03-26T22:00:00Z"),
        ("Pacific/Apia", "2011-12-30T10:00:00Z"), ("Pacific/Chatham", "2030-04-06T14:00:00Z"),
        ("Asia/Tehran", "2021-09-21T19:30:00Z"),
    ]

    @Test func firingsEqualThoseOfTheMinuteByMinuteWalkWhereClocksChange() throws {
        var random = SeededGenerator(
            seed: SeededGenerator.announcedSeed(for: "SchedulePropertyTests.clocksChange"))
        var firings = 0
        for round in 0..<300 {
            let change = Self.changes[round % Self.changes.count]
            let zone = try TimeZoneStore.load(change.zone)
            let near = try #require(Instant(iso8601: change.near)).seconds / 60
            let start = near - Int64.random(in: 0..<4000, using: &random)
            let cron = NaiveCron(using: &random)
            let policy = Self.policies[Int.random(in: 0..<Self.policies.count, using: &random)]
            firings += try expectEqualFirings(
                cron, in: start..<start + 6000, of: zone, policy: policy)
        }
        #expect(firings > 1000)
    }

    @Test func firingsEqualThoseOfTheMinuteByMinuteWalkInUTC() throws {
        var random = SeededGenerator(
            seed: SeededGenerator.announcedSeed(for: "SchedulePropertyTests.utc"))
        var firings = 0
        for _ in 0..<30 {
            let start = Int64.random(in: -10_000_000..<60_000_000, using: &random)
            let cron = NaiveCron(using: &random)
            firings += try expectEqualFirings(
                cron, in: start..<start + 30 * 1440, of: .utc, policy: DSTPolicy())
        }
        #expect(firings > 100)
    }

    private func expectEqualFirings(
        _ cron: NaiveCron, in minutes: Range<Int64>, of zone: ZoneRules, policy: DSTPolicy
    ) throws -> Int {
        let schedule = try Schedule.parse(cron.text)
        let after = Instant(seconds: minutes.lowerBound * 60 - 1)
        let end = Instant(seconds: minutes.upperBound * 60)
        let found = Array(
            schedule.times(after: after, in: zone, created: after, dst: policy)
                .prefix { $0 < end })
        let expected = cron.firings(in: minutes, of: zone, policy: policy)
            .map { Instant(seconds: $0 * 60) }
        #expect(
            found == expected,
            "\(cron.text) in \(zone.name) after \(after) with \(policy)")
        return found.count
    }

    @Test func anyNextInstantIsLaterAndTheSameFromEveryEarlierOne() throws {
        var random = SeededGenerator(
            seed: SeededGenerator.announcedSeed(for: "SchedulePropertyTests.later"))
        for round in 0..<2000 {
            let zone = try TimeZoneStore.load(Self.changes[round % Self.changes.count].zone)
            let schedule = try Schedule.parse(NaiveCron(using: &random).text)
            let after = Instant(
                microseconds: Int64.random(
                    in: 0..<4_000_000_000_000_000, using: &random))
            let policy = Self.policies[round % Self.policies.count]
            guard let next = schedule.next(after: after, in: zone, created: after, dst: policy)
            else { continue }
            #expect(next > after)
            let between = Instant(
                microseconds: Int64.random(
                    in: after.microseconds..<next.microseconds, using: &random))
            #expect(
                schedule.next(after: between, in: zone, created: after, dst: policy) == next,
                "\(schedule) in \(zone.name) after \(after) and \(between) with \(policy)")
        }
    }

    @Test func anIntervalKeepsItsGridFromAnyInstant() throws {
        var random = SeededGenerator(
            seed: SeededGenerator.announcedSeed(for: "SchedulePropertyTests.interval"))
        for _ in 0..<1000 {
            let seconds = Int64.random(in: 1...100_000, using: &random)
            let schedule = try Schedule.parse("interval:\(seconds)")
            let created = Instant(
                microseconds: Int64.random(in: 0..<2_000_000_000_000_000, using: &random))
            let after = Instant(
                microseconds: Int64.random(in: 0..<4_000_000_000_000_000, using: &random))
            let next = try #require(schedule.next(after: after, in: .utc, created: created))
            // Before `created` too: a clock that was set back must not stop an interval.
            #expect(next > after)
            #expect((next.microseconds - created.microseconds) % (seconds * 1_000_000) == 0)
            #expect(next - after <= .seconds(seconds))
            #expect(
                schedule.next(after: created, in: .utc, created: created)
                    == created + .seconds(seconds))
        }
    }

    @Test func anyBytesAreParsedOrRefusedWithAHint() {
        var random = SeededGenerator(
            seed: SeededGenerator.announcedSeed(for: "SchedulePropertyTests.bytes"))
        let alphabet = Array("0123456789*/-,LW#? @abcdefjnou:TZ+.é\t")
        for _ in 0..<20_000 {
            let length = Int.random(in: 0...24, using: &random)
            let text = String(
                (0..<length).map { _ in
                    alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
                })
            do throws(ScheduleError) {
                _ = try Schedule.parse(text)
            } catch {
                #expect(!error.hint.isEmpty && !error.reason.isEmpty, "\(text)")
            }
        }
    }
}
