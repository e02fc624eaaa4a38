// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Testing
import TimeZones

@Suite struct CronVectorTests {
    @Test func allLinesOfTheFixturesAreRead() {
        #expect(CronVector.all.count == 343)
        #expect(CronVector.dialects.count == 225)
    }

    @Test(arguments: CronVector.all.filter { $0.next != nil })
    func nextTimesFollowTheVector(_ vector: CronVector) throws {
        let expected = try utc(#require(vector.next))
        let found = try nextTimes(
            vector.expr, in: #require(vector.tz), after: #require(vector.after),
            count: expected.count)
        #expect(found == expected)
    }

    @Test(arguments: CronVector.all.filter { $0.no_match != nil })
    func listedInstantsDoNotMatch(_ vector: CronVector) throws {
        let schedule = try Schedule.parse(vector.expr)
        let zone = try TimeZoneStore.load(#require(vector.tz))
        for text in try #require(vector.no_match) {
            let instant = try #require(Instant(iso8601: text))
            let before = instant - .seconds(1)
            #expect(schedule.next(after: before, in: zone, created: before) != instant)
        }
    }

    @Test(arguments: CronVector.all.filter { $0.valid == false })
    func invalidExpressionsAreRefusedWithReasonAndHint(_ vector: CronVector) {
        let error = #expect(throws: ScheduleError.self) { try CronExpression(vector.expr) }
        #expect(error?.reason.isEmpty == false)
        #expect(error?.hint.hasPrefix("write ") == true || error?.hint.hasPrefix("use ") == true)
        let fields = vector.expr.split(separator: " ").count
        if fields == 5 { #expect(error?.field != nil, "no field named") }
    }

    @Test(arguments: CronVector.all.filter { $0.valid == true })
    func validExpressionsAreAccepted(_ vector: CronVector) throws {
        _ = try CronExpression(vector.expr)
    }

    @Test(arguments: CronVector.dialects.filter { $0.vixie_next != nil })
    func whereDialectsDisagreeDebianCronIsFollowed(_ vector: CronVector) throws {
        let expected = try utc(#require(vector.vixie_next))
        let found = try nextTimes(
            vector.expr, in: #require(vector.tz), after: #require(vector.after),
            count: expected.count)
        #expect(found == expected)
    }

    /// Of the other dialects' extensions, only backward ranges that end in Sunday are taken.
    @Test(arguments: CronVector.dialects.filter { $0.ocps10 == "reject" })
    func whatDebianCronRefusesIsRefused(_ vector: CronVector) throws {
        let endsInSunday = vector.expr.hasSuffix("-0")
        if endsInSunday {
            _ = try CronExpression(vector.expr)
        } else {
            #expect(throws: ScheduleError.self) { try CronExpression(vector.expr) }
        }
    }

    @Test(arguments: CronVector.dialects.filter { $0.ocps10 == "accept" })
    func whatDebianCronAcceptsIsAccepted(_ vector: CronVector) throws {
        _ = try CronExpression(vector.expr)
    }
}
