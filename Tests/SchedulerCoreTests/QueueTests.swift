// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Testing

@testable import SchedulerCore

/// What an entry of the queue costs must not grow with what waits beside it.
struct QueueTests {
    private static func execution(_ number: Int) throws -> Execution {
        // Spread over the instants, so that a new one belongs anywhere among the others.
        let planned = Instant(seconds: 1_750_000_000) + .seconds(number &* 7919 % 1_000_003)
        return Execution(
            id: "e\(number)", task: TaskKey(id: try TaskID("user.t\(number)"), uid: "u\(number)"),
            trigger: .schedule, plannedAt: planned, policies: TaskPolicies())
    }

    /// Median time of a hundred removals and insertions, of thirty such hundreds.
    private static func turnover(of queue: inout Queue, from number: Int) throws -> Duration {
        let fresh = try (0..<3000).map { try execution(number + $0) }
        var times: [Duration] = []
        for start in stride(from: 0, to: fresh.count, by: 100) {
            times.append(
                ContinuousClock().measure {
                    for execution in fresh[start..<start + 100] {
                        _ = queue.removeFirst(of: .user, .normal)
                        _ = queue.insert(execution, priority: 0, lane: .normal)
                    }
                })
        }
        return times.sorted()[times.count / 2]
    }

    @Test func tenTimesAsManyThatWaitDoNotMakeAnEntryThriceAsDear() throws {
        var queue = Queue()
        for number in 0..<20_000 {
            _ = queue.insert(try Self.execution(number), priority: 0, lane: .normal)
        }
        let few = try Self.turnover(of: &queue, from: 1_000_000)
        for number in 20_000..<200_000 {
            _ = queue.insert(try Self.execution(number), priority: 0, lane: .normal)
        }
        let many = try Self.turnover(of: &queue, from: 2_000_000)
        print("100 removals and insertions among 20,000: \(few), among 200,000: \(many)")
        #expect(many < few * 3)
    }

    @Test func orderIsPriorityThenInstantThenArrival() throws {
        var queue = Queue()
        func add(_ number: Int, _ priority: Int, at seconds: Int64) throws {
            var execution = try Self.execution(number)
            execution.plannedAt = Instant(seconds: seconds)
            _ = queue.insert(execution, priority: priority, lane: .normal)
        }
        try add(1, 0, at: 20)
        try add(2, 0, at: 10)
        try add(3, 5, at: 30)
        try add(4, 0, at: 10)
        try add(5, -5, at: 0)
        var order: [String] = []
        while let entry = queue.removeFirst(of: [(.user, .normal), (.agency, .normal)]) {
            order.append(entry.execution)
        }
        #expect(order == ["e3", "e2", "e4", "e1", "e5"])
    }
}
