// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Testing

@testable import SchedulerCore

/// What an entry of the queue costs must not grow with what waits beside it.
struct QueueTests {
    private let task: TaskKey

    init() throws { task = TaskKey(id: try TaskID("user.t"), uid: "u") }

    private func execution(_ number: Int) -> Execution {
        // Spread over the instants, so that a new one belongs anywhere among the others.
        let planned = Instant(seconds: 1_750_000_000) + .seconds(number &* 7919 % 1_000_003)
        return Execution(
            id: "e\(number)", task: task, worker: .user, trigger: .schedule, plannedAt: planned,
            policies: TaskPolicies())
    }

    /// Median time of a hundred removals and insertions, of thirty such hundreds.
    private func turnover(of queue: inout Queue, from number: Int) -> Duration {
        let fresh = (0..<3000).map { execution(number + $0) }
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

    @Test func tenTimesAsManyThatWaitDoNotMakeAnEntryThriceAsDear() {
        var queue = Queue(workers: 4)
        for number in 0..<20_000 {
            _ = queue.insert(execution(number), priority: 0, lane: .normal)
        }
        let few = turnover(of: &queue, from: 1_000_000)
        for number in 20_000..<200_000 {
            _ = queue.insert(execution(number), priority: 0, lane: .normal)
        }
        let many = turnover(of: &queue, from: 2_000_000)
        print("100 removals and insertions among 20,000: \(few), among 200,000: \(many)")
        #expect(many < few * 3)
    }

    /// What its task replaces again and again, while no worker has its type, leaves nothing behind.
    @Test func whatNobodyRunsDoesNotGrow() throws {
        var settings = CoreSettings()
        settings.typeWorkers = ["user.command": .user]
        settings.undescribed = []
        var run = try CoreRun(settings)
        var task = try CoreRun.task(
            "user.theirs", "* * * * *", TaskPolicies(overlap: .cancelOld), at: run.wall)
        task.record.type = "user.theirs"
        run.request(.create(task), id: 1)
        for _ in 0..<1500 {
            run.pass(.seconds(60))
            _ = run.take()
        }
        #expect(run.core.queued == 1)
        #expect(run.core.queue.count <= 1026)
    }

    @Test func orderIsPriorityThenInstantThenArrival() {
        var queue = Queue(workers: 4)
        func add(_ number: Int, _ priority: Int, at seconds: Int64) {
            var execution = execution(number)
            execution.plannedAt = Instant(seconds: seconds)
            _ = queue.insert(execution, priority: priority, lane: .normal)
        }
        add(1, 0, at: 20)
        add(2, 0, at: 10)
        add(3, 5, at: 30)
        add(4, 0, at: 10)
        add(5, -5, at: 0)
        var order: [String] = []
        while let entry = queue.removeFirst(of: [(.user, .normal), (.agency, .normal)]) {
            order.append(entry.execution)
        }
        #expect(order == ["e3", "e2", "e4", "e1", "e5"])
    }
}
