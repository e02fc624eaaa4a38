// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Testing

@testable import SchedulerCore

/// A store that does not write: what somebody waits for is refused, what happened is kept.
struct StoreFailureTests {
    @Test(arguments: StoreFailure.allCases)
    func aCreationIsRefusedAtOnceAndUndone(kind: StoreFailure) throws {
        var run = try CoreRun()
        run.isStoreWell = false
        try run.create("user.one", "@daily")
        #expect(run.take().replies.isEmpty)
        run.failStore(kind)
        let replies = run.take().replies
        guard case .refused(let refusal) = replies.first, replies.count == 1 else {
            Issue.record("it was answered \(replies)")
            return
        }
        #expect(refusal.code == .unavailable)
        #expect(refusal.message.contains(kind.rawValue))
        #expect(run.core.tasks.isEmpty)
        #expect(HealthRules.judge(run.core.healthFacts).system == .critical)
    }

    @Test func anEndIsKeptUntilItIsWritten() throws {
        var run = try CoreRun()
        try run.create("user.one", "@daily")
        run.request(.run(try TaskID("user.one")))
        let order = try #require(run.take().orders.first)
        run.isStoreWell = false
        try run.finish(order, sequence: 0)
        run.failStore(.io)
        #expect(!run.take().published.contains { if case .finished = $0 { true } else { false } })
        #expect(run.core.storeFailure != nil)
        run.pass(.seconds(2))
        let kept = try #require(run.batches.first)
        #expect(kept.changes.contains { if case .endAttempt = $0 { true } else { false } })
        run.answerStore()
        #expect(run.take().published.contains { if case .finished = $0 { true } else { false } })
        #expect(run.core.storeFailure == nil)
    }

    @Test func nothingLeavesBeforeItsCommit() throws {
        var run = try CoreRun()
        try run.create("user.one", "@daily")
        _ = run.take()
        run.isStoreWell = false
        run.request(.run(try TaskID("user.one")))
        let before = run.take()
        #expect(before.orders.isEmpty)
        #expect(before.replies.isEmpty)
        run.answerStore()
        let after = run.take()
        #expect(after.orders.count == 1)
        #expect(after.replies.count == 1)
    }

    @Test func aCancelReachesItsWorkerThoughNothingIsWritten() throws {
        var run = try CoreRun()
        try run.create("user.one", "@daily")
        run.request(.run(try TaskID("user.one")))
        let order = try #require(run.take().orders.first)
        run.isStoreWell = false
        run.request(.cancelTask(try TaskID("user.one"), now: false))
        let actions = run.take()
        #expect(
            actions.contains {
                if case .send(.user, .cancel(order.attempt, .requested, _)) = $0 {
                    true
                } else {
                    false
                }
            })
        #expect(actions.replies.count == 1)
    }

    /// An order that found no room has not left: its attempt is over with the cancel, which is
    /// answered once that is written, however long the store takes.
    @Test func aCancelOfWhatHasNotLeftIsAnsweredOnceItsEndIsWritten() throws {
        var run = try CoreRun()
        try run.create("user.one", "@daily")
        run.request(.run(try TaskID("user.one")))
        let order = try #require(run.take().orders.first)
        run.feed(.unsent(.user, .run(order)))
        run.isStoreWell = false
        run.request(.cancelTask(try TaskID("user.one"), now: false))
        #expect(run.take().replies.isEmpty)
        run.failStore(.full)
        run.pass(.seconds(2))
        #expect(run.take().replies.isEmpty)
        run.answerStore()
        #expect(run.take().replies == [.cancelled([order.executionID], ending: [])])
    }

    /// Cancelled as its claim is written: answered once its attempt stands as over.
    @Test func aCancelOfWhatIsClaimedIsAnsweredOnceItsEndIsWritten() throws {
        var run = try CoreRun()
        try run.create("user.one", "interval:60")
        let due = try #require(run.core.tasks[try TaskID("user.one")]?.record.nextRun)
        _ = run.take()
        run.isStoreWell = false
        run.pass(due - run.wall)
        let id = try #require(run.core.executions.values.map(\.id).first)
        run.request(.cancelExecution(id, now: false))
        #expect(run.take().replies.isEmpty)
        run.answerOnce()
        run.turn()
        // The claim is there now, and its end on the way.
        #expect(run.take().replies.isEmpty)
        run.answerStore()
        let actions = run.take()
        #expect(actions.replies == [.cancelled([id], ending: [])])
        #expect(actions.orders.isEmpty)
    }

    /// The same where its claim does not apply.
    @Test func aCancelOfWhatTheStoreHadBeforeIsAnsweredToo() throws {
        var run = try CoreRun()
        try run.create("user.one", "interval:60")
        let due = try #require(run.core.tasks[try TaskID("user.one")]?.record.nextRun)
        _ = run.take()
        run.isStoreWell = false
        run.claimedBefore = [due]
        run.pass(due - run.wall)
        let id = try #require(run.core.executions.values.map(\.id).first)
        run.request(.cancelExecution(id, now: false))
        run.answerStore()
        #expect(run.take().replies == [.cancelled([id], ending: [])])
        #expect(run.core.cancels.isEmpty)
    }

    @Test func aBuiltInTaskThatTheStoreRefusesIsNotThere() throws {
        let at = Instant(seconds: 1_750_000_000)
        var facts = StartFacts()
        facts.builtIns = [
            try CoreRun.task("user.lost", "* * * * *", at: at),
            try CoreRun.task("user.kept", "* * * * *", at: at),
        ]
        var run = try CoreRun(CoreSettings(), facts, refusing: ["user.lost"])
        #expect(run.core.tasks.keys.map(\.text) == ["user.kept"])
        run.pass(.seconds(65))
        #expect(run.take().orders.map(\.taskID) == ["user.kept"])
        try run.create("user.lost2", "@daily")
        #expect(run.core.tasks.count == 2)
    }
}
