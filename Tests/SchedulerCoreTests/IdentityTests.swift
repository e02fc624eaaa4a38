// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Testing

@testable import SchedulerCore

/// A task is more than its name.
struct IdentityTests {
    @Test func runDeleteCreateRunSentWithoutWaitingAreAllTrue() throws {
        var run = try CoreRun()
        try run.create("user.one", "@daily")
        _ = run.take()
        run.isStoreWell = false
        let id = try TaskID("user.one")
        let old = try #require(run.core.tasks[id]?.key)
        run.feed(.request(2, actor: "test", .run(id)))
        run.feed(.request(3, actor: "test", .delete(id)))
        let daily = try CoreRun.task("user.one", "@daily", at: run.wall)
        run.feed(.request(4, actor: "test", .create(daily)))
        run.feed(.request(5, actor: "test", .run(id)))
        run.isStoreWell = true
        run.turn()
        run.turn()
        let actions = run.take()
        let executions = actions.replies.compactMap {
            if case .execution(let id, _, _) = $0 { id } else { nil }
        }
        // Whoever asked for the first is told that it never ran; the second is the new task's.
        #expect(executions.count == 1)
        #expect(actions.replies.count == 4)
        #expect(actions.replies.contains { if case .refused = $0 { true } else { false } })
        let key = try #require(run.core.tasks[id]?.key)
        #expect(key.uid != old.uid)
        #expect(actions.orders.map(\.executionID) == executions)
    }

    @Test func updateOfADeletedTaskDoesNotChangeTheNextOneOfItsName() throws {
        var run = try CoreRun()
        try run.create("user.one", "@daily")
        _ = run.take()
        let id = try TaskID("user.one")
        let old = try #require(run.core.tasks[id])
        run.isStoreWell = false
        run.feed(.request(2, actor: "test", .delete(id)))
        let hourly = try CoreRun.task("user.one", "@hourly", at: run.wall)
        run.feed(.request(3, actor: "test", .create(hourly)))
        // What a client changes of the first, made as it was there still.
        let change = TaskDefinition(record: old.latest, table: old.table)
        run.feed(.request(4, actor: "test", .update(change)))
        run.isStoreWell = true
        run.turn()
        run.turn()
        let refused = run.take().replies.compactMap {
            if case .refused(let refusal) = $0 { refusal } else { nil }
        }
        #expect(refused.map(\.code) == [.conflict])
        #expect(run.core.tasks[id]?.latest.schedule == "@hourly")
        // A change of the one that is there now goes through.
        var weekly = try CoreRun.task("user.one", "@weekly", at: run.wall)
        weekly.record.key = try #require(run.core.tasks[id]).key
        run.request(.update(weekly))
        #expect(run.core.tasks[id]?.latest.schedule == "@weekly")
    }

    @Test func theNewOneWaitsUntilTheOldOnesProcessIsGone() throws {
        var run = try CoreRun()
        try run.create("user.one", "@daily")
        let id = try TaskID("user.one")
        run.request(.run(id))
        let first = try #require(run.take().orders.first)
        run.request(.delete(id))
        #expect(run.take().replies == [.deleted(id, ending: [first.executionID])])
        try run.create("user.one", "@daily")
        run.request(.run(id))
        #expect(run.take().orders.isEmpty)
        // The old one can be cancelled still.
        run.request(.cancelExecution(first.executionID, now: true))
        #expect(
            run.take().contains {
                if case .send(.user, .cancel(first.attempt, _, .zero)) = $0 { true } else { false }
            })
        try run.finish(first, sequence: 0)
        #expect(run.take().orders.count == 1)
    }

    @Test func afterACrashTheNewTaskDoesNotRunUnderTheOldExecution() throws {
        var facts = StartFacts()
        let id = try TaskID("user.one")
        let wall = Instant(seconds: 1_750_000_000)
        let record = StoredTask(
            key: TaskKey(id: id, uid: "new"), type: "user.command", schedule: "@daily",
            createdAt: wall, updatedAt: wall)
        facts.tasks = [
            TaskDefinition(
                record: record,
                table: Planner.Timetable(
                    schedule: try Schedule.parse("@daily"), zone: .utc, created: wall,
                    policies: TaskPolicies(onCrash: .rerun)))
        ]
        let execution = StoredExecution(
            id: "e", taskID: "user.one", taskUID: "old", trigger: .manual, plannedAt: wall,
            startedAt: wall, state: .running, attempts: 1)
        facts.running = [
            (
                StoredAttempt(
                    key: 1, executionID: "e", taskID: "user.one", taskUID: "old", number: 1,
                    plannedAt: wall, startedAt: wall), execution
            )
        ]
        var core = SchedulerCore(
            settings: CoreSettings(), at: Time(wall: wall, boot: .seconds(1)))
        _ = core.handle(.start(facts), at: Time(wall: wall, boot: .seconds(1)))
        let actions = core.handle(
            .settle(Heard(until: .seconds(1))), at: Time(wall: wall, boot: .seconds(1)))
        #expect(core.executions.isEmpty)
        let ends = actions.flatMap { action in
            if case .write(_, let changes) = action { changes } else { [] as [StoreChange] }
        }.compactMap { if case .endAttempt(let end) = $0 { end.outcome } else { nil } }
        #expect(ends == [Outcome(.interrupted, .taskGone)])
    }

    @Test func misfireRunAllRunsTheNewestToo() throws {
        var run = try CoreRun()
        try run.create("user.one", "* * * * *", TaskPolicies(misfire: .runAll))
        run.suspend(.seconds(300))
        var planned: [Instant] = []
        for _ in 0..<8 {
            for order in run.take().orders {
                planned.append(order.occurrence)
                try run.finish(order, sequence: 0)
            }
        }
        #expect(planned.count == 5)
        #expect(planned == planned.sorted())
    }

    @Test func rebootTasksStartOnceForEachBoot() throws {
        for (isNewBoot, count) in [(true, 1), (false, 0)] {
            let wall = Instant(seconds: 1_750_000_000)
            var facts = StartFacts()
            facts.isNewBoot = isNewBoot
            facts.bootID = "b"
            facts.tasks = [
                TaskDefinition(
                    record: StoredTask(
                        key: TaskKey(id: try TaskID("user.one"), uid: "u"), type: "user.command",
                        schedule: "@reboot", createdAt: wall, updatedAt: wall),
                    table: Planner.Timetable(
                        schedule: try Schedule.parse("@reboot"), zone: .utc, created: wall,
                        policies: TaskPolicies()))
            ]
            var core = SchedulerCore(
                settings: CoreSettings(), at: Time(wall: wall, boot: .seconds(1)))
            _ = core.handle(.start(facts), at: Time(wall: wall, boot: .seconds(1)))
            #expect(core.executions.count == count)
        }
    }

    @Test func nothingStartsOnALoadThatIsNotKnown() throws {
        var core = SchedulerCore(
            settings: CoreSettings(), at: Time(wall: Instant(seconds: 0), boot: .seconds(1)))
        #expect(core.gate(.idle) == .loadUnknown)
        #expect(core.gate(.normal) == .loadUnknown)
        #expect(core.gate(.exempt) == nil)
        // What needs an idle machine waits for a measure; the rest for some seconds.
        let later = Time(
            wall: Instant(seconds: 10), boot: .seconds(1) + core.settings.loadPatience)
        _ = core.handle(.timer, at: later)
        #expect(core.gate(.idle) == .loadUnknown)
        #expect(core.gate(.normal) == nil)
        _ = core.handle(
            .load(.unknowable), at: Time(wall: Instant(seconds: 0), boot: .seconds(1)))
        #expect(core.gate(.normal) == nil)
    }
}
