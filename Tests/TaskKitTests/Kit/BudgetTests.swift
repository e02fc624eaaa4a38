// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Testing

@testable import TaskKit

struct BudgetTests {
    private let start = ContinuousClock.now

    @Test func burstPassesAndWhatFollowsAtOnceIsDropped() {
        var budget = LogBudget(now: start)
        for _ in 0..<5_000 { #expect(budget.admit(bytes: 1, now: start) == .pass(note: nil)) }
        #expect(budget.admit(bytes: 1, now: start) == .drop)
        #expect(budget.admit(bytes: 1, now: start + .milliseconds(500)) == .drop)
        #expect(budget.dropped == 2)
    }

    @Test func oneNoteTellsOfAllDroppedLines() {
        var budget = LogBudget(now: start)
        for _ in 0..<6_000 { _ = budget.admit(bytes: 1, now: start) }
        #expect(
            budget.admit(bytes: 1, now: start + .seconds(2))
                == .pass(note: "1000 lines dropped: above 500 lines a second or 8 MiB in all"))
        #expect(budget.admit(bytes: 1, now: start + .seconds(2)) == .pass(note: nil))
        #expect(budget.takeNote() == nil)
    }

    @Test func bytesInAllAreBounded() {
        var budget = LogBudget(now: start)
        for second in 0..<1024 {
            #expect(
                budget.admit(bytes: 8192, now: start + .seconds(second)) == .pass(note: nil))
        }
        #expect(budget.admit(bytes: 1, now: start + .seconds(5000)) == .drop)
        #expect(budget.takeNote()?.hasPrefix("1 lines dropped") == true)
    }

    @Test func progressIsThinnedOut() {
        var budget = ProgressBudget(now: start)
        let passed = (0..<100).count { _ in budget.admit(now: start) }
        #expect(passed == 20)
        #expect(budget.admit(now: start + .milliseconds(100)) == true)
        #expect(budget.admit(now: start + .milliseconds(101)) == false)
    }
}
