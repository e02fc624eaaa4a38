// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Testing

@testable import SchedulerCore

/// Instants that meet a clock that was set, a store that knows them already, a worker that is not
/// there: what the simulation found.
struct InstantTests {
    private let id = try? TaskID("user.one")

    /// The claims among what was written.
    private func claims(_ actions: [Action]) -> [Instant] {
        actions.flatMap { action -> [Instant] in
            guard case .write(_, let changes) = action else { return [] }
            return changes.compactMap {
                if case .claim(let claim) = $0 { claim.plannedAt } else { nil }
            }
        }
    }

    @Test func aSmallStepBackDropsNothingThatTheJitterPutsOff() throws {
        var run = try CoreRun()
        try run.create("user.one", "* * * * *", TaskPolicies(jitter: .seconds(600)))
        let id = try #require(id)
        let due = try #require(run.core.tasks[id]?.record.nextRun)
        let jitter = Planner.jitter(of: id, policies: TaskPolicies(jitter: .seconds(600)))
        try #require(jitter > .seconds(5))
        run.pass(due - run.wall + .seconds(4))
        run.step(.seconds(-3))
        #expect(run.core.tasks[id]?.record.nextRun == due)
        run.pass(jitter + .seconds(5))
        #expect(claims(run.take()).contains(due))
    }

    @Test func aPlanThatWasAtItsEndGoesOnAfterAStepBack() throws {
        var run = try CoreRun()
        let passed = run.wall - .seconds(60)
        try run.create("user.one", "at:\(passed.iso8601)")
        let id = try #require(id)
        #expect(run.core.tasks[id]?.record.nextRun == nil)
        run.step(.seconds(-120))
        #expect(run.core.tasks[id]?.record.nextRun == passed)
        _ = run.take()
        run.pass(.seconds(61))
        #expect(claims(run.take()) == [passed])
    }

    /// A step of months, while a slow store writes the task.
    @Test func aTaskThatIsBeingCreatedTakesTheNearerInstantToo() throws {
        var run = try CoreRun()
        run.isStoreWell = false
        try run.create("user.one", "0 0 * * *")
        run.step(.seconds(-86_400 * 3))
        run.isStoreWell = true
        run.answerStore()
        let id = try #require(id)
        let due = try #require(run.core.tasks[id]?.record.nextRun)
        #expect(due > run.wall && due <= run.wall + .seconds(86_400))
        _ = run.take()
        run.pass(due - run.wall + .seconds(1))
        #expect(claims(run.take()) == [due])
    }

    @Test func anInstantThatWaitsIsNoSecondOneAfterAStepBack() throws {
        var run = try CoreRun()
        run.feed(.load(.known(Admission.Load(cpu: 99, memory: 1))))
        try run.create("user.one", "*/10 * * * *", TaskPolicies(overlap: .queueAll))
        let id = try #require(id)
        let due = try #require(run.core.tasks[id]?.record.nextRun)
        run.pass(due - run.wall + .seconds(1))
        #expect(run.core.executions.count == 1)
        run.step(.seconds(-60))
        run.pass(.seconds(70))
        #expect(run.core.executions.count == 1)
    }

    @Test func anInstantThatRanBeforeDoesNotWaitAgain() throws {
        var run = try CoreRun()
        run.feed(.load(.known(Admission.Load(cpu: 99, memory: 1))))
        try run.create("user.one", "*/10 * * * *")
        let id = try #require(id)
        let due = try #require(run.core.tasks[id]?.record.nextRun)
        run.claimedBefore = [due]
        run.pass(due - run.wall + .seconds(1))
        #expect(run.core.executions.isEmpty)
        // Nobody is told that it waits.
        #expect(!run.take().published.contains { if case .deferred = $0 { true } else { false } })
    }

    @Test func aRunThatTakesTheNextInstantStillStandsInLine() throws {
        var run = try CoreRun()
        try run.create("user.one", "@yearly")
        let id = try #require(id)
        run.isStoreWell = false
        run.request(.run(id))
        let first = try #require(claims(run.take()).first)
        run.claimedBefore = [first]
        run.answerOnce()
        let execution = try #require(Array(run.core.executions.values).first)
        #expect(execution.plannedAt == first + .microseconds(1))
        #expect(run.core.firstInLine(of: execution.task) == execution.id)
        run.isStoreWell = true
        run.turn()
        run.turn()
        #expect(run.take().orders.map(\.occurrence) == [execution.plannedAt])
    }

    @Test func anOrderThatWaitedLeavesItsWorkerAllOfItsTime() throws {
        var run = try CoreRun()
        try run.create("user.one", "@yearly", TaskPolicies(timeout: .seconds(10)))
        run.isStoreWell = false
        run.request(.run(try #require(id)))
        // Its worker goes while the claim is being written.
        run.feed(.worker(.user, .exited(status: 9, words: "")))
        run.isStoreWell = true
        run.turn()
        run.pass(.seconds(24))
        #expect(run.take().orders.isEmpty)
        try run.makeReady(.user)
        let order = try #require(run.take().orders.first)
        try run.start(order)
        run.pass(.seconds(12))
        #expect(run.take().killed.isEmpty)
        try run.finish(order)
        #expect(run.core.executions.isEmpty)
    }

    @Test func aDeadlineRightAfterASuspendIsNone() throws {
        var run = try CoreRun()
        try run.create(
            "user.one", "@yearly", TaskPolicies(timeout: .seconds(60), grace: .zero))
        run.request(.run(try #require(id)))
        let order = try #require(run.take().orders.first)
        try run.start(order)
        // A second before the worker would be suspected.
        run.suspend(.seconds(74))
        run.pass(.seconds(3))
        #expect(run.take().killed.isEmpty)
    }

    @Test func anUpdateKeepsWhereTheGridBegins() throws {
        var run = try CoreRun()
        try run.create("user.one", "interval:3600")
        let id = try #require(id)
        let created = try #require(run.core.tasks[id]?.record.createdAt)
        run.pass(.seconds(100))
        let record = StoredTask(
            key: TaskKey(id: id, uid: ""), type: "user.command", schedule: "interval:60",
            origin: "admin", createdAt: run.wall, updatedAt: run.wall)
        let table = Planner.Timetable(
            schedule: try Schedule.parse("interval:60"), zone: .utc, created: run.wall,
            policies: TaskPolicies())
        run.request(.update(TaskDefinition(record: record, table: table)))
        #expect(run.core.tasks[id]?.record.createdAt == created)
        #expect(run.core.tasks[id]?.record.nextRun == created + .seconds(120))
    }
}
