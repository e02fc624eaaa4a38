// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Testing

@testable import SchedulerCore

/// What is sure to start is claimed before its instant, and its order leaves at the instant.
struct AheadTests {
    private static let lead = CoreSettings().claimAhead

    /// A core whose clock stands where the next instant of `user.one` was claimed and has not come.
    private func claimed(
        _ schedule: String = "interval:60", _ policies: TaskPolicies = TaskPolicies()
    ) throws -> (run: CoreRun, due: Instant) {
        var run = try CoreRun()
        try run.create("user.one", schedule, policies)
        let id = try TaskID("user.one")
        let next = try #require(run.core.tasks[id]?.record.nextRun)
        let due = next + Planner.jitter(of: id, policies: policies)
        _ = run.take()
        run.pass(due - run.wall - Self.lead)
        let actions = run.take()
        #expect(actions.claims == [next])
        #expect(actions.orders.isEmpty)
        return (run, due)
    }

    @Test func orderLeavesWithItsInstant() throws {
        var (run, due) = try claimed()
        run.pass(Self.lead - .microseconds(1))
        #expect(run.take().orders.isEmpty)
        run.pass(.microseconds(1))
        let order = try #require(run.take().orders.first)
        #expect(run.wall == due)
        #expect(run.core.executions[order.executionID]?.startedAt == due)
        try run.start(order)
        try run.finish(order)
        #expect(run.core.running == 0)
    }

    @Test func jitterMovesBoth() throws {
        var (run, due) = try claimed("* * * * *", TaskPolicies(jitter: .seconds(40)))
        run.pass(due - run.wall)
        #expect(run.take().orders.count == 1)
    }

    /// A commit that takes longer than the lead has its order leave with it.
    @Test func slowCommitHasItsOrderLeaveAtOnce() throws {
        var run = try CoreRun()
        try run.create("user.one", "interval:60")
        let due = try #require(run.core.tasks[try TaskID("user.one")]?.record.nextRun)
        run.isStoreWell = false
        run.pass(due - run.wall + .seconds(1))
        #expect(run.take().orders.isEmpty)
        run.answerStore()
        #expect(run.take().orders.count == 1)
    }

    /// Of two with one instant and one place, the more important one gets it.
    @Test func placeIsTheMoreImportantOnes() throws {
        var settings = CoreSettings()
        settings.maximumConcurrency = 1
        var run = try CoreRun(settings)
        try run.create("user.a", "* * * * *", TaskPolicies(priority: 10))
        try run.create("user.z", "* * * * *", TaskPolicies(priority: 90))
        run.pass(.seconds(60))
        #expect(run.take().orders.map(\.taskID) == ["user.z"])
    }

    @Test func oneThatRunsIsLookedAtWhenItIsDue() throws {
        var (run, due) = try claimed("interval:60", TaskPolicies(overlap: .skip))
        run.pass(Self.lead)
        let order = try #require(run.take().orders.first)
        try run.start(order)
        run.pass(.seconds(60) - Self.lead)
        _ = run.take()
        // It ends between the lead and its next instant.
        try run.finish(order)
        run.pass(Self.lead)
        #expect(run.wall == due + .seconds(60))
        #expect(run.take().orders.map(\.occurrence) == [due + .seconds(60)])
    }

    @Test func disabledBeforeItsInstantItNeverBegins() throws {
        var (run, _) = try claimed()
        run.request(.setEnabled(try TaskID("user.one"), false))
        run.pass(.seconds(200))
        let actions = run.take()
        #expect(actions.orders.isEmpty)
        #expect(actions.ended == [.cancelled])
        #expect(run.core.running == 0)
    }

    @Test func answerToADisableCountsNoneThatHasNotBegun() throws {
        var (run, _) = try claimed()
        run.request(.setEnabled(try TaskID("user.one"), false))
        let retrying = run.take().replies.compactMap {
            if case .task(_, let retrying) = $0 { retrying } else { nil }
        }
        #expect(retrying == [0])
    }

    /// A removal that is being written decides, also where it fails in the end.
    @Test func removalThatIsBeingWrittenHoldsItBack() throws {
        var (run, due) = try claimed()
        run.isStoreWell = false
        run.request(.delete(try TaskID("user.one")))
        run.pass(.seconds(1))
        #expect(run.take().orders.isEmpty)
        run.failStore(.full)
        run.turn()
        #expect(run.take().orders.map(\.occurrence) == [due])
    }

    /// Other tasks of the same instant, more than a turn looks at, are not before it.
    @Test func orderWaitsForNoTimerOfAnother() throws {
        var settings = CoreSettings()
        settings.timersPerTurn = 3
        settings.maximumConcurrency = 1
        var run = try CoreRun(settings)
        for number in 0..<30 {
            try run.create("user.t\(number)", "* * * * *", TaskPolicies(priority: number))
        }
        let due = try #require(run.core.tasks[try TaskID("user.t0")]?.record.nextRun)
        run.miss(due - run.wall - Self.lead)
        run.turn()
        #expect(run.take().claims.count == 1)
        run.miss(Self.lead)
        run.turn()
        #expect(run.take().orders.count == 1)
    }

    /// The machine is looked at as the loop wakes: a measure that differs changes nothing.
    @Test func newMeasureOfTheLoadIsNoHindrance() throws {
        var run = try CoreRun()
        try run.create("user.one", "interval:60")
        let due = try #require(run.core.tasks[try TaskID("user.one")]?.record.nextRun)
        run.miss(due - run.wall - Self.lead)
        run.feed(.load(.known(Admission.Load(cpu: 2, memory: 3))))
        run.turn()
        #expect(run.take().claims == [due])
    }

    @Test func sleepBeforeItsInstantIsNobodysLateness() throws {
        var (run, _) = try claimed()
        run.suspend(.seconds(3600))
        let order = try #require(run.take().orders.first)
        try run.start(order)
        let measured = run.take().compactMap {
            if case .measured(let latency) = $0 { latency } else { nil }
        }
        #expect(measured.allSatisfy { $0 < .seconds(1) } && measured.count == 1)
    }

    @Test func cancelledWhileItIsWrittenItHoldsNoPlace() throws {
        var run = try CoreRun()
        try run.create("user.one", "interval:60")
        let due = try #require(run.core.tasks[try TaskID("user.one")]?.record.nextRun)
        run.isStoreWell = false
        run.pass(due - run.wall - Self.lead)
        let id = try #require(run.core.executions.values.map(\.id).first)
        run.request(.cancelExecution(id, now: false))
        run.isStoreWell = true
        run.answerStore()
        #expect(run.core.running == 0)
        #expect(run.take().orders.isEmpty)
    }

    @Test func deletedBeforeItsInstantItNeverBegins() throws {
        var (run, _) = try claimed()
        run.request(.delete(try TaskID("user.one")))
        run.pass(.seconds(200))
        let actions = run.take()
        #expect(actions.orders.isEmpty)
        #expect(actions.ended == [.cancelled])
        #expect(run.core.executions.isEmpty)
    }

    @Test func cancelledBeforeItsInstantItNeverBegins() throws {
        var (run, due) = try claimed()
        let id = try #require(run.core.executions.values.map(\.id).first)
        run.request(.cancelExecution(id, now: false))
        run.pass(.seconds(61))
        #expect(run.take().orders.map(\.occurrence) == [due + .seconds(60)])
    }

    /// A new schedule with the same instant keeps it, and it runs once; one without it does not run.
    @Test(arguments: [("* * * * *", 1), ("30 0 1 1 *", 0)])
    func newPlanDecides(_ schedule: String, _ orders: Int) throws {
        var run = try CoreRun()
        try run.create("user.one", "*/2 * * * *")
        let id = try TaskID("user.one")
        let due = try #require(run.core.tasks[id]?.record.nextRun)
        run.pass(due - run.wall - Self.lead)
        #expect(run.take().claims == [due])
        run.request(.update(try CoreRun.task("user.one", schedule, at: run.wall)))
        run.pass(.seconds(1))
        #expect(run.take().orders.count == orders)
        #expect(run.core.tasks[id]?.record.nextRun.map { $0 > due } == true)
    }

    /// Set back by an hour while it waits: it leaves at once, and not again when the clock is there.
    @Test func clockThatIsSetBackLetsItGo() throws {
        var (run, due) = try claimed()
        run.step(.seconds(-3600))
        let order = try #require(run.take().orders.first)
        #expect(order.occurrence == due)
        try run.start(order)
        try run.finish(order)
        run.claimedBefore = [due]
        run.pass(.seconds(3700))
        #expect(!run.take().orders.map(\.occurrence).contains(due))
    }

    @Test func clockThatIsSetBackWhileItIsWrittenLetsItGoToo() throws {
        var run = try CoreRun()
        try run.create("user.one", "interval:60")
        let due = try #require(run.core.tasks[try TaskID("user.one")]?.record.nextRun)
        run.isStoreWell = false
        run.pass(due - run.wall - Self.lead)
        run.step(.seconds(-3600))
        run.isStoreWell = true
        run.answerStore()
        #expect(run.take().orders.map(\.occurrence) == [due])
    }

    /// Its scheduler died with the claim on the disk, and the clock was set back by an hour before the
    /// next one came: it runs again at once, and not when the clock is there.
    @Test func clockThatIsSetBackWhileDownLetsItRunAgain() throws {
        let wall = Instant(seconds: 1_750_000_000)
        let due = Instant(seconds: 1_750_003_620)
        var task = try CoreRun.task(
            "user.one", "* * * * *", TaskPolicies(onCrash: .rerun), at: wall)
        task.record.key = TaskKey(id: try TaskID("user.one"), uid: "one")
        task.record.nextRun = due + .seconds(60)
        let id = "00000000-0000-4000-8000-000000000001"
        var facts = StartFacts()
        facts.tasks = [task]
        facts.running = [
            (
                StoredAttempt(
                    key: 77, executionID: id, taskID: "user.one", taskUID: "one", number: 1,
                    plannedAt: due, startedAt: due),
                StoredExecution(
                    id: id, taskID: "user.one", taskUID: "one", trigger: .schedule, plannedAt: due,
                    startedAt: due, state: .running, attempts: 1)
            )
        ]
        var run = try CoreRun(CoreSettings(), facts, keeping: true)
        run.claimedBefore = [due]
        let order = try #require(run.take().orders.first)
        #expect(order.occurrence == due && order.attemptNumber == 2)
        try run.finish(order, sequence: 0)
        for _ in 0..<62 {
            run.pass(.seconds(60))
            for order in run.take().orders {
                #expect(order.occurrence != due)
                try run.finish(order, sequence: 0)
            }
        }
        #expect(run.wall > due)
    }

    @Test func clockThatIsSetForwardLetsItGo() throws {
        var (run, due) = try claimed()
        run.step(.seconds(5))
        #expect(run.take().orders.map(\.occurrence) == [due])
    }

    @Test func workerThatDiesMeanwhileLeavesItToItsSuccessor() throws {
        var (run, due) = try claimed()
        run.feed(.worker(.user, .exited(status: 9, words: "")))
        run.pass(.seconds(1))
        #expect(run.take().orders.isEmpty)
        try run.makeReady(.user)
        #expect(run.take().orders.map(\.occurrence) == [due])
    }

    /// It never began, so that the next scheduler runs it, also where `on_crash` says fail.
    @Test func stopLeavesItToTheNextScheduler() throws {
        var (run, _) = try claimed()
        run.feed(.stop)
        run.turn()
        run.pass(.seconds(1))
        let actions = run.take()
        #expect(actions.orders.isEmpty)
        #expect(actions.ended.isEmpty)
        #expect(actions.handedBack == ["stopping"])
        #expect(run.core.stop == .ended(0))
    }
}

extension [Action] {
    fileprivate var claims: [Instant] {
        flatMap { action -> [Instant] in
            guard case .write(_, let changes) = action else { return [] }
            return changes.compactMap {
                if case .claim(let claim) = $0 { claim.plannedAt } else { nil }
            }
        }
    }

    fileprivate var handedBack: [String] {
        flatMap { action -> [String] in
            guard case .write(_, let changes) = action else { return [] }
            return changes.compactMap {
                if case .unclaim(_, let reason, _) = $0 { reason } else { nil }
            }
        }
    }

    fileprivate var ended: [Outcome.Kind] {
        published.compactMap {
            if case .finished(_, let outcome, _, _, _) = $0 { outcome.kind } else { nil }
        }
    }
}
