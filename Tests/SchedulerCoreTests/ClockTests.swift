// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Testing

@testable import SchedulerCore

/// Clocks that are set, machines that sleep.
struct ClockTests {
    private func running() throws -> (CoreRun, AttemptOrder) {
        var run = try CoreRun()
        try run.create("user.one", "@yearly", TaskPolicies(timeout: .seconds(60)))
        run.request(.run(try TaskID("user.one")))
        let order = try #require(run.take().orders.first)
        try run.start(order)
        return (run, order)
    }

    @Test(arguments: [3600, -3600, 86400 * 365])
    func aStepOfTheWallClockKillsNoWorker(seconds: Int) throws {
        var (run, order) = try running()
        run.step(.seconds(seconds))
        #expect(run.take().killed.isEmpty)
        run.pass(.seconds(5))
        try run.finish(order)
        let actions = run.take()
        #expect(actions.killed.isEmpty)
        #expect(run.core.executions.isEmpty)
    }

    @Test func aSuspendKillsNoWorker() throws {
        var (run, order) = try running()
        run.suspend(.seconds(3600))
        #expect(run.take().killed.isEmpty)
        // Its worker has the time that anybody has after a pause.
        run.pass(.seconds(10))
        #expect(run.take().killed.isEmpty)
        try run.finish(order)
        #expect(run.core.executions.isEmpty)
    }

    /// The loop came back a second too late, and took less than there was to read.
    @Test func whatLiesUnreadIsReadBeforeAWorkerIsCalledLate() throws {
        var (run, order) = try running()
        run.pass(.seconds(79))
        run.miss(.seconds(2))
        run.feed(.settle(Heard(until: run.boot, unread: [.user])))
        #expect(run.core.isBusy)
        // What was asked for before the time was over says nothing either.
        run.feed(.settle(Heard(until: run.boot - .seconds(2))))
        #expect(run.take().killed.isEmpty)
        #expect(run.core.isBusy)
        try run.finish(order)
        run.turn()
        #expect(run.take().killed.isEmpty)
        #expect(run.core.executions.isEmpty)
    }

    /// One that sends and sends is never read to its end.
    @Test func aWorkerThatFloodsIsLateAllTheSame() throws {
        var (run, _) = try running()
        run.pass(.seconds(79))
        for _ in 0..<16 {
            run.miss(.seconds(1))
            run.feed(.settle(Heard(until: run.boot, unread: [.user])))
        }
        #expect(run.take().killed == [.user])
    }

    @Test func anAttemptThatItsWorkerDoesNotEndIsEndedWithIt() throws {
        var (run, order) = try running()
        run.pass(.seconds(70))
        // A minute, five seconds of grace, fifteen until the worker is suspected.
        #expect(run.take().killed.isEmpty)
        run.pass(.seconds(11))
        #expect(run.take().killed == [.user])
        run.feed(.worker(.user, .exited(status: 9, words: "")))
        run.turn()
        let finished = run.take().published.compactMap { published in
            if case .finished(let subject, let outcome, _, _, _) = published {
                (subject.execution, outcome)
            } else {
                nil
            }
        }
        #expect(finished.first?.0 == order.executionID)
        #expect(finished.first?.1 == Outcome(.interrupted, .workerDied))
    }

    @Test func aWorkerThatGivesNoSignOfLifeIsKilled() throws {
        var run = try CoreRun()
        run.silent = [.agency]
        run.pass(.seconds(40))
        #expect(run.take().killed == [.agency])
        #expect(run.core.worker(.agency).why == "gave no sign of life for 20 s")
    }

    @Test func afterAStepBackTasksGoOn() throws {
        var run = try CoreRun()
        try run.create("user.one", "* * * * *")
        run.step(.seconds(3600))
        run.pass(.seconds(2))
        for order in run.take().orders { try run.finish(order, sequence: 0) }
        run.step(.seconds(-3600))
        run.pass(.seconds(130))
        let orders = run.take().orders
        #expect(!orders.isEmpty)
        let next = try #require(run.core.tasks[TaskID("user.one")]?.record.nextRun)
        #expect(next - run.wall <= .seconds(60))
    }

    @Test func whatAStepCausedIsNoLatenessOfTheLoop() throws {
        var run = try CoreRun()
        try run.create("user.one", "*/10 * * * *")
        run.step(.seconds(900))
        run.pass(.milliseconds(100))
        for order in run.take().orders { try run.start(order) }
        #expect(run.core.health.lateness < .seconds(1))
    }

    @Test func aWaitByPolicyIsNoLateness() throws {
        var run = try CoreRun()
        try run.create("user.one", "* * * * *", TaskPolicies(overlap: .queueAll))
        var first: AttemptOrder?
        while first == nil {
            run.pass(.milliseconds(500))
            first = run.take().orders.first
        }
        let order = try #require(first)
        try run.start(order)
        run.pass(.seconds(200))
        try run.finish(order)
        let second = try #require(run.take().orders.first)
        try run.start(second)
        #expect(run.core.health.lateness < .seconds(1))
    }

    @Test func aRetryThatCouldNotBeTakenBackKeepsItsTimeAfterAStepBack() throws {
        var run = try CoreRun()
        var policies = TaskPolicies()
        policies.retry.count = 3
        policies.retry.delay = .seconds(60)
        policies.retry.jitter = .zero
        try run.create("user.one", "@daily", policies)
        run.request(.run(try TaskID("user.one")))
        try run.fail(try #require(run.take().orders.first))
        run.step(.seconds(-80 * 86400))
        run.isStoreWell = false
        run.request(.cancelTask(try TaskID("user.one"), now: false))
        run.failStore(.busy)
        #expect(run.take().orders.isEmpty)
        run.isStoreWell = true
        run.pass(.seconds(61))
        #expect(run.take().orders.map(\.taskID) == ["user.one"])
    }

    /// After a long pause of the loop: the first worker's answer comes before the news of its death,
    /// and the order that follows from it is read by the second.
    @Test func aWorkerThatReadItsPredecessorsOrderIsNotToBlame() throws {
        var run = try CoreRun()
        func canaryStarts(_ order: AttemptOrder) {
            run.report(
                .user,
                .started(
                    attempt: order.attempt, sequence: 0,
                    layers: LayerReport(held: [], missing: []), at: run.wall))
        }
        run.feed(.worker(.user, .exited(status: 9, words: "")))
        run.feed(.worker(.user, .launched(processID: 8)))
        run.answerPing(.user)
        let first = try #require(run.core.worker(.user).canary?.order)
        run.turn()
        run.feed(.worker(.user, .exited(status: 9, words: "")))
        run.feed(.worker(.user, .launched(processID: 9)))
        run.answerPing(.user)
        run.turn()
        _ = run.take()
        canaryStarts(first)
        run.turn()
        let actions = run.take()
        #expect(actions.killed.isEmpty)
        #expect(
            actions.contains {
                if case .send(.user, .cancel(first.attempt, _, .zero)) = $0 { true } else { false }
            })
        // The control: what nobody ever ordered is a violation.
        run.report(
            .user,
            .started(
                attempt: AttemptKey(4711), sequence: 0,
                layers: LayerReport(held: [], missing: []), at: run.wall))
        run.turn()
        #expect(run.take().killed == [.user])
    }
}
