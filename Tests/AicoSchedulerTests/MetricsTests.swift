// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Testing

@testable import AicoScheduler

struct MetricsTests {
    @Test func aRingKeepsTheLatest() {
        var ring = Ring<Int>(capacity: 4)
        for number in 0..<10 {
            ring.append(number)
            #expect(ring.elements.count == min(number + 1, 4))
            #expect(Array(ring.latest(2)) == Array(max(0, number - 1)...number))
        }
        #expect(ring.elements.sorted() == [6, 7, 8, 9])
    }

    @Test func latenessForgetsWhatIsLongOver() {
        var metrics = Metrics(remembered: 1024)
        metrics.count(latency: .seconds(60))
        #expect(metrics.lateness == .seconds(60))
        for _ in 0..<100 { metrics.count(latency: .milliseconds(1)) }
        #expect(metrics.lateness == .milliseconds(1))
        for _ in 0..<2000 { metrics.count(latency: .milliseconds(1)) }
        metrics.count(latency: .seconds(5))
        #expect(metrics.lateness == .seconds(5))
        #expect(metrics.latency?.maximum == .seconds(5))
    }

    @Test func whatWasAskedForIsNoFailure() {
        var metrics = Metrics(remembered: 1024)
        for outcome in Outcome.Kind.allCases { metrics.count(outcome: outcome) }
        #expect(metrics.recent == (4, 5))
    }

    @Test func timersComeInOrderAndMoveWhenSetAgain() {
        var timers = TimerHeap<Int>()
        func at(_ second: Int) -> Instant { Instant(seconds: Int64(second)) }
        for name in (0..<500).reversed() { timers.set(name, at: at(name)) }
        for name in 0..<250 { timers.set(name, at: at(1000 + name)) }
        for name in 250..<300 { timers.set(name, at: nil) }
        #expect(timers.count == 450)
        #expect(timers.earliest == at(300))
        var seen: [Int] = []
        while let (name, _) = timers.pop(dueAt: at(1100)) { seen.append(name) }
        #expect(seen == Array(300..<500) + Array(0...100))
        #expect(timers.earliest == at(1101))
    }
}
