// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Testing

@testable import TaskKit

struct BudgetTests {
    private let start = ContinuousClock.now

    private func line(_ text: String) -> LogBudget.Line {
        LogBudget.Line(stream: .standardOutput, at: Instant(seconds: 1), text: text)
    }

    /// What a log is after so many lines of this text with their number.
    private func kept(of count: Int, padding: String = "") -> (head: Int, note: String?, [String]) {
        var budget = LogBudget()
        var head = 0
        for number in 0..<count where budget.admit(line("\(number)\(padding)")) == .pass {
            head += 1
        }
        let (note, tail) = budget.finish()
        return (head, note, tail.map { String($0.text.prefix { $0 != "x" }) })
    }

    @Test(arguments: [
        (count: 1, head: 1, leftOut: 0, tail: 0), (count: 5_000, head: 5_000, leftOut: 0, tail: 0),
        (count: 5_001, head: 5_000, leftOut: 0, tail: 1),
        (count: 6_000, head: 5_000, leftOut: 0, tail: 1_000),
        (count: 6_001, head: 5_000, leftOut: 1, tail: 1_000),
        (count: 107_123, head: 5_000, leftOut: 101_123, tail: 1_000),
    ])
    func headAndTailAreKeptAndTheRestIsCounted(
        _ row: (count: Int, head: Int, leftOut: Int, tail: Int)
    ) {
        let (head, note, tail) = kept(of: row.count)
        #expect(head == row.head && tail.count == row.tail)
        #expect(tail == (row.count - row.tail..<row.count).map(String.init))
        switch row.leftOut {
        case 0: #expect(note == nil)
        case 1: #expect(note == "1 line left out")
        default: #expect(note == "\(row.leftOut) lines left out")
        }
    }

    @Test(arguments: [1, 100, 511, 1000, 8_000, 16_384]) func bytesAreBoundedToo(size: Int) {
        let padding = String(repeating: "x", count: size)
        let (head, note, tail) = kept(of: 20_000, padding: padding)
        #expect(head <= LogBudget.headLines && head * size <= LogBudget.headBytes)
        #expect(!tail.isEmpty && tail.count <= LogBudget.tailLines)
        #expect(tail.count * size <= LogBudget.tailBytes)
        #expect(tail == (20_000 - tail.count..<20_000).map(String.init))
        #expect(note == "\(20_000 - head - tail.count) lines left out")
    }

    @Test func linesOfChangingLengthKeepTheirOrderInTheTail() {
        var budget = LogBudget()
        var generator = SystemRandomNumberGenerator()
        for number in 0..<30_000 {
            let size = Int.random(in: 0...12_000, using: &generator)
            _ = budget.admit(line("\(number)" + String(repeating: "x", count: size)))
        }
        let numbers = budget.finish().tail.compactMap { Int($0.text.prefix { $0 != "x" }) }
        #expect(numbers.last == 29_999 && numbers == Array(numbers[0]...29_999))
    }

    @Test func oneNoteSaysThatTheHeadIsOver() {
        var budget = LogBudget()
        for _ in 0..<5_000 { #expect(budget.admit(line("a")) == .pass) }
        guard case .keep(let note?) = budget.admit(line("b")) else {
            Issue.record("no note came")
            return
        }
        #expect(note.hasPrefix("more than 5000 lines or 2 MiB"))
        #expect(budget.admit(line("c")) == .keep(note: nil))
    }

    @Test func progressIsThinnedOut() {
        var budget = ProgressBudget(now: start)
        let passed = (0..<100).count { _ in budget.admit(now: start) }
        #expect(passed == 20)
        #expect(budget.admit(now: start + .milliseconds(100)) == true)
        #expect(budget.admit(now: start + .milliseconds(101)) == false)
    }
}
