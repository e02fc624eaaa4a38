// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Testing

@testable import AicoScheduler

struct UpcomingRunsTests {
    /// Looks for the instants of tasks that run every so many seconds; counts the looks.
    private static func merged(
        _ periods: [Int], count: Int
    ) -> (found: [String], looks: Int) {
        var runs = UpcomingExecutions<Int>(count: count)
        for (number, period) in periods.enumerated() {
            let at = Instant(seconds: Int64(period))
            if runs.takes(at) { runs.add("user.t\(number)", at: at, period) }
        }
        var looks = 0
        let found = runs.merged { period, at in
            looks += 1
            return at + .seconds(period)
        }
        return (found.map { "\($0.at) \($0.task)" }, looks)
    }

    /// All instants of all tasks, sorted.
    private static func expected(_ periods: [Int], count: Int) -> [String] {
        var all: [(at: Instant, task: String)] = []
        for (number, period) in periods.enumerated() {
            for step in 1...count {
                all.append(
                    (Instant(seconds: Int64(period * step)), "user.t\(number)"))
            }
        }
        all.sort { $0.at != $1.at ? $0.at < $1.at : $0.task < $1.task }
        return all.prefix(count).map { "\($0.at) \($0.task)" }
    }

    @Test func theEarliestOfAllTasksComeInTheirOrder() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<50 {
            let periods = (0..<Int.random(in: 1...40, using: &generator)).map { _ in
                Int.random(in: 1...60, using: &generator)
            }
            let count = Int.random(in: 1...50, using: &generator)
            #expect(
                Self.merged(periods, count: count).found == Self.expected(periods, count: count),
                "periods \(periods), count \(count)")
        }
    }

    @Test func noMoreInstantsAreLookedForThanAreShown() {
        let (found, looks) = Self.merged(Array(repeating: 1, count: 1000), count: 1000)
        #expect(found.count == 1000)
        #expect(looks < 1000)
    }

    @Test func aTaskThatRunsNoMoreLeavesTheOthersTheirPlaces() {
        var runs = UpcomingExecutions<Bool>(count: 3)
        runs.add("user.once", at: Instant(seconds: 1), false)
        runs.add("user.often", at: Instant(seconds: 2), true)
        let found = runs.merged { isOften, at in isOften ? at + .seconds(1) : nil }
        #expect(found.map(\.task) == ["user.once", "user.often", "user.often"])
    }
}
