// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Testing

struct PlannerTests {
    private static let now = at("2026-01-15T10:00:30Z")

    private static func at(_ text: String) -> Instant {
        Instant(iso8601: text) ?? Instant(seconds: 0)
    }

    private static func table(
        _ schedule: String, _ policies: TaskPolicies = TaskPolicies()
    ) throws -> Planner.Timetable {
        Planner.Timetable(
            schedule: try Schedule.parse(schedule), zone: .utc,
            created: at("2026-01-01T00:00:00Z"), policies: policies)
    }

    @Test func whatIsNotDueWaits() throws {
        let from = Self.at("2026-01-15T11:00:00Z")
        let plan = Planner.plan(try Self.table("@hourly"), from: from, now: Self.now)
        #expect(plan.due.isEmpty)
        #expect(plan.notRun.isEmpty)
        #expect(plan.next == from)
    }

    @Test func whatIsDueNowRuns() throws {
        let from = Self.at("2026-01-15T10:00:00Z")
        for now in [from, Self.now] {
            let plan = Planner.plan(try Self.table("@hourly"), from: from, now: now)
            #expect(plan.due == [.init(instant: from)])
            #expect(plan.notRun.isEmpty)
            #expect(plan.next == Self.at("2026-01-15T11:00:00Z"))
        }
    }

    /// Missed: 07:00, 08:00, 09:00; in time: 10:00.
    struct Misfire: Sendable, CustomTestStringConvertible {
        var from = "07"
        let policy: MisfirePolicy
        var window = 86400
        var cap = 100
        let due: [String]
        let notRun: [String: Planner.Miss]
        var testDescription: String { "\(policy) from \(from), window \(window) s, cap \(cap)" }
    }

    @Test(arguments: [
        Misfire(
            policy: .runOnce, due: ["10"],
            notRun: ["07": .coalesced, "08": .coalesced, "09": .coalesced]),
        Misfire(
            policy: .skip, due: ["10"],
            notRun: ["07": .policy, "08": .policy, "09": .policy]),
        Misfire(policy: .runAll, due: ["07", "08", "09", "10"], notRun: [:]),
        Misfire(
            policy: .runAll, cap: 2, due: ["09", "10"], notRun: ["07": .cap, "08": .cap]),
        Misfire(
            from: "08", policy: .runAll, window: 2 * 3600, due: ["09", "10"],
            notRun: ["08": .window]),
        Misfire(
            from: "08", policy: .runOnce, window: 2 * 3600, due: ["10"],
            notRun: ["08": .window, "09": .coalesced]),
    ])
    func misfire(row: Misfire) throws {
        let policies = TaskPolicies(
            misfire: row.policy, catchUpWindow: .seconds(row.window))
        let plan = Planner.plan(
            try Self.table("@hourly", policies), from: Self.at("2026-01-15T\(row.from):00:00Z"),
            now: Self.now, cap: row.cap)
        func hour(_ instant: Instant) -> String { String(instant.iso8601.dropFirst(11).prefix(2)) }
        #expect(plan.due.map { hour($0.instant) } == row.due)
        #expect(
            Dictionary(plan.notRun.map { (hour($0.instant), $0.reason) }) { $1 } == row.notRun)
        #expect(plan.due.allSatisfy { $0.isCatchUp == (hour($0.instant) != "10") })
        #expect(plan.next == Self.at("2026-01-15T11:00:00Z"))
    }

    @Test func aMissedSingleInstantRunsOnceAndNeverAgain() throws {
        let from = Self.at("2026-01-15T09:00:00Z")
        let table = try Self.table("at:2026-01-15T09:00:00Z")
        let plan = Planner.plan(table, from: from, now: Self.now)
        #expect(plan.due == [.init(instant: from, isCatchUp: true)])
        #expect(plan.next == nil)
        let skipped = Planner.plan(
            try Self.table("at:2026-01-15T09:00:00Z", TaskPolicies(misfire: .skip)), from: from,
            now: Self.now)
        #expect(skipped.due.isEmpty)
        #expect(skipped.notRun == [.init(instant: from, reason: .policy)])
    }

    @Test(arguments: MisfirePolicy.allCases)
    func upToAMinuteLateIsInTime(policy: MisfirePolicy) throws {
        let table = try Self.table("@hourly", TaskPolicies(misfire: policy))
        let from = Self.at("2026-01-15T10:00:00Z")
        let late = Planner.plan(table, from: from, now: from + Planner.grace)
        #expect(late.due == [.init(instant: from, isCatchUp: false)])
        let missed = Planner.plan(
            table, from: from, now: from + Planner.grace + .microseconds(1))
        #expect(missed.due == (policy == .skip ? [] : [.init(instant: from, isCatchUp: true)]))
    }

    @Test func aYearOfSecondsIsBounded() throws {
        let table = try Self.table(
            "* * * * * *",
            TaskPolicies(misfire: .runAll, catchUpWindow: .seconds(366 * 86400)))
        let plan = Planner.plan(table, from: Self.now - .seconds(365 * 86400), now: Self.now)
        #expect(plan.due.count == Planner.runCap)
        #expect(plan.notRun.count <= Planner.listCap)
        #expect(plan.next.map { $0 > Self.now } == true)
    }

    @Test func theNextRunIsAlwaysLaterThanNow() throws {
        for schedule in ["@hourly", "* * * * * *", "interval:7", "*/13 3 * * *"] {
            let table = try Self.table(schedule)
            for back in [0, 1, 59, 3600, 86400 * 40] {
                let plan = Planner.plan(table, from: Self.now - .seconds(back), now: Self.now)
                #expect(plan.next.map { $0 > Self.now } == true, "\(schedule), \(back) s back")
                let all = plan.due.map(\.instant) + plan.notRun.map(\.instant)
                #expect(Set(all).count == all.count)
                #expect(all.allSatisfy { $0 <= Self.now })
            }
        }
    }

    @Test func jitterIsTheTasksOwnAndStaysInBounds() throws {
        let policies = TaskPolicies(jitter: .seconds(60))
        var seen: Set<Duration> = []
        for number in 0..<50 {
            let id = try TaskID("user.n\(number)")
            let jitter = Planner.jitter(of: id, policies: policies)
            #expect(jitter == Planner.jitter(of: id, policies: policies))
            #expect((Duration.zero...Duration.seconds(60)).contains(jitter))
            seen.insert(jitter)
        }
        #expect(seen.count > 45)
        #expect(Planner.jitter(of: try TaskID("user.a"), policies: TaskPolicies()) == .zero)
    }
}
