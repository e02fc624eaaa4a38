// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Foundation
import Testing
import TimeZones

@Suite struct ZoneRulesTests {
    /// Foundation brings its own copy of the database: these zones are the same in both.
    @Test(arguments: [
        "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata", "Asia/Tokyo",
        "Europe/London", "Europe/Dublin", "America/Sao_Paulo", "Pacific/Chatham",
        "Antarctica/Troll", "America/St_Johns", "Asia/Kathmandu", "Pacific/Kiritimati",
    ])
    func offsetsEqualThoseOfAnotherImplementation(_ name: String) throws {
        let zone = try TimeZoneStore.load(name)
        let other = try #require(TimeZone(identifier: name))
        var random = SeededGenerator(
            seed: SeededGenerator.announcedSeed(for: "ZoneRulesTests.\(name)"))
        for _ in 0..<3000 {
            let second = Int64.random(in: 0..<4_000_000_000, using: &random)
            let expected = other.secondsFromGMT(
                for: Date(timeIntervalSince1970: TimeInterval(second)))
            #expect(zone.offset(at: Instant(seconds: second)) == expected, "at \(second)")
        }
    }

    @Test func aRuleHoldsForCenturies() throws {
        let berlin = try TimeZoneStore.load("Europe/Berlin")
        let summer = try #require(Instant(iso8601: "2999-07-01T00:00:00Z"))
        let winter = try #require(Instant(iso8601: "2999-12-01T00:00:00Z"))
        #expect(berlin.offset(at: summer) == 7200)
        #expect(berlin.offset(at: winter) == 3600)
    }

    @Test(arguments: [
        "../../etc/passwd", "/etc/passwd", "", "Europe/../UTC", "a b", "Europe//Berlin",
        "posix/Europe/Berlin/x/y", "tzdata.zi", "\u{0}",
    ])
    func namesThatCouldLeaveTheDirectoryAreRefused(_ name: String) {
        #expect(throws: TimeZoneError.self) { try TimeZoneStore.load(name) }
    }

    @Test(arguments: [
        ("Europe/Berln", "write Europe/Berlin"), ("europe/berlin", "write Europe/Berlin"),
        ("Tokyo", "write Asia/Tokyo"),
    ])
    func anUnknownZoneIsRefusedWithTheNearest(_ name: String, _ hint: String) {
        let error = #expect(throws: TimeZoneError.self) { try TimeZoneStore.load(name) }
        #expect(error?.hint == hint)
    }

    @Test func everyTruncationOfAZoneFileIsRefused() throws {
        let data = try Data(contentsOf: URL(filePath: "/usr/share/zoneinfo/Europe/Berlin"))
        let bytes = Array(data)
        #expect(throws: Never.self) { try ZoneRules(name: "whole", tzif: bytes) }
        for length in stride(from: 0, to: bytes.count, by: 7) {
            #expect(throws: ZoneDataError.self, "length \(length)") {
                try ZoneRules(name: "cut", tzif: Array(bytes[..<length]))
            }
        }
    }

    @Test func changedBytesOfAZoneFileNeverTrap() throws {
        let data = try Data(contentsOf: URL(filePath: "/usr/share/zoneinfo/Europe/Berlin"))
        let bytes = Array(data)
        var random = SeededGenerator(
            seed: SeededGenerator.announcedSeed(for: "ZoneRulesTests.changedBytes"))
        for _ in 0..<3000 {
            var changed = bytes
            for _ in 0..<3 {
                changed[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(
                    in: 0...255, using: &random)
            }
            guard let zone = try? ZoneRules(name: "changed", tzif: changed) else { continue }
            let after = Instant(seconds: 1_700_000_000)
            _ = try Schedule.parse("30 2 * * *").next(after: after, in: zone, created: after)
        }
    }
}
