// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Testing

@testable import SchedulerCore

/// A damaged page of the store stops what needs it, and nobody else.
struct StoreDamageTests {
    private func check(_ run: CoreRun) -> HealthCheck? {
        HealthRules.judge(run.core.healthFacts).checks.first { $0.name == "store" }
    }

    /// Runs a new task `user.one` that is tried again when it fails; gives its first order.
    private func start(_ run: inout CoreRun, retryingAfter delay: Duration) throws -> AttemptOrder {
        let retry = RetryPolicy(count: 3, delay: delay)
        try run.create("user.one", "@yearly", TaskPolicies(retry: retry))
        run.request(.run(try TaskID("user.one")))
        return try #require(run.take().orders.first)
    }

    /// Ends what runs at once, for some minutes; gives the names of what ran.
    private func play(_ run: inout CoreRun, minutes: Int) throws -> [String] {
        var names: [String] = []
        for _ in 0..<minutes {
            run.pass(.seconds(60))
            for order in run.take().orders {
                names.append(order.taskID)
                try run.finish(order, sequence: 0)
            }
        }
        return names
    }

    /// An attempt's end can never be written: others go on, and health says what to do.
    @Test func anEndThatCannotBeWrittenHoldsUpNobody() throws {
        var run = try CoreRun()
        try run.create("user.one", "@yearly")
        try run.create("user.two", "interval:60")
        run.request(.run(try TaskID("user.one")))
        let order = try #require(run.take().orders.first)
        run.isDamaged = {
            if case .endAttempt(let end) = $0 { end.attempt == order.attempt } else { false }
        }
        try run.finish(order, sequence: 0)
        run.pass(.seconds(60))
        let actions = run.take()
        #expect(actions.orders.map(\.taskID) == ["user.two"])
        let notes = actions.compactMap { if case .log(let note) = $0 { note } else { nil } }
        let note = notes.first { $0.message == "a change cannot be written" }
        let what = "the end of attempt \(order.attempt.value) (succeeded)"
        #expect(note?.facts["what"] == what && note?.level == .error)
        #expect(check(run)?.status == .critical)
        #expect(
            check(run)?.message
                == "is damaged: \(what) cannot be written; stop the system and restore the database "
                + "from a backup")
        #expect(run.core.storeFailure == nil && run.core.waitingChanges == 0)
        for order in actions.orders { try run.finish(order, sequence: 0) }
        #expect(try play(&run, minutes: 3) == ["user.two", "user.two", "user.two"])
    }

    /// A boot that cannot be noted is new to the next scheduler: it is noted once that can be done.
    @Test func aBootThatCannotBeNotedIsNotedLater() throws {
        var run = try CoreRun()
        try run.create("user.two", "interval:60")
        run.isDamaged = { if case .noteBoot = $0 { true } else { false } }
        run.core.unnotedBoot = "boot"
        run.core.noteBoot()
        #expect(try play(&run, minutes: 3) == ["user.two", "user.two", "user.two"])
        #expect(check(run)?.message.contains("this boot's id cannot be written") == true)
        #expect(run.core.unnotedBoot == "boot")
        run.isDamaged = { _ in false }
        _ = try play(&run, minutes: 2)
        #expect(run.core.unnotedBoot == nil)
    }

    /// Of two requests that are written together the one that can be done is.
    @Test func aRequestThatCannotBeWrittenIsRefusedAlone() throws {
        var run = try CoreRun()
        run.isDamaged = {
            if case .createTask(let task) = $0 { task.id.text == "user.bad" } else { false }
        }
        for (id, name) in [(2, "user.bad"), (3, "user.good")] {
            run.feed(
                .request(
                    RequestID(id), actor: "test",
                    .create(try CoreRun.task(name, "@daily", at: run.wall))))
        }
        run.turn()
        let replies = run.take().replies
        #expect(replies.count == 2)
        #expect(
            replies.contains {
                if case .refused(let refusal) = $0 { refusal.code == .unavailable } else { false }
            })
        #expect(run.core.tasks.keys.map(\.text) == ["user.good"])
        #expect(check(run)?.status == .critical)
    }

    /// A claim that cannot be written gives its place back.
    @Test func aClaimThatCannotBeWrittenHoldsNoPlace() throws {
        var settings = CoreSettings()
        settings.maximumConcurrency = 1
        var run = try CoreRun(settings)
        try run.create("user.bad", "interval:60", TaskPolicies(priority: 5))
        try run.create("user.good", "interval:60")
        run.isDamaged = {
            switch $0 {
            case .claim(let claim): claim.task.id.text == "user.bad"
            case .occurrence(let key, _, _, _, _), .deferral(let key, _, _, _, _, _):
                key.id.text == "user.bad"
            default: false
            }
        }
        let names = try play(&run, minutes: 5)
        #expect(Set(names) == ["user.good"])
        // Each waits for the end of a search, and comes up to a second late.
        #expect(names.count >= 3)
        #expect(check(run)?.status == .critical)
    }

    /// A cancel whose end can never be written is not answered as done.
    @Test func aCancelWhoseEndCannotBeWrittenIsRefused() throws {
        var run = try CoreRun()
        try run.create("user.one", "interval:60")
        let due = try #require(run.core.tasks[try TaskID("user.one")]?.record.nextRun)
        _ = run.take()
        run.isStoreWell = false
        run.pass(due - run.wall)
        let id = try #require(run.core.executions.values.map(\.id).first)
        run.request(.cancelExecution(id, now: false))
        run.isDamaged = { if case .endAttempt = $0 { true } else { false } }
        run.isStoreWell = true
        run.answerStore()
        try run.create("user.two", "@daily")
        let replies = run.take().replies
        #expect(!replies.contains { if case .cancelled = $0 { true } else { false } })
        #expect(replies.count == 2 && run.core.cancels.isEmpty)
    }

    /// A retry whose claim can never be written waits in the store still: the next start resumes it.
    @Test func aCancelWhoseClaimCannotBeWrittenIsRefused() throws {
        var run = try CoreRun()
        let order = try start(&run, retryingAfter: .seconds(60))
        try run.fail(order)
        _ = run.take()
        run.isStoreWell = false
        run.pass(.seconds(90))
        #expect(run.core.executions[order.executionID]?.state == .claiming)
        run.request(.cancelExecution(order.executionID, now: false))
        #expect(run.take().replies.isEmpty)
        run.isDamaged = {
            switch $0 {
            case .claim(let claim): claim.executionID == order.executionID
            case .retry(let execution, _): execution == order.executionID
            default: false
            }
        }
        run.isStoreWell = true
        run.answerStore()
        try run.create("user.two", "@daily")
        let replies = run.take().replies
        #expect(!replies.contains { if case .cancelled = $0 { true } else { false } })
        #expect(replies.count == 2 && run.core.cancels.isEmpty)
        #expect(run.core.executions.isEmpty)
    }

    /// An attempt whose end can never be written is running to the store: no retry of it would apply,
    /// and nothing is told of it that the store does not have.
    @Test func anExecutionWhoseAttemptCannotEndIsOutOfReach() throws {
        var run = try CoreRun()
        try run.create("user.two", "interval:60")
        let order = try start(&run, retryingAfter: .seconds(600))
        run.isDamaged = {
            if case .endAttempt(let end) = $0 { end.attempt == order.attempt } else { false }
        }
        try run.fail(order)
        run.pass(.seconds(60))
        for order in run.take().orders { try run.finish(order, sequence: 0) }
        #expect(run.core.executions[order.executionID] == nil)
        run.request(.cancelExecution(order.executionID, now: false))
        #expect(
            run.take().replies.contains {
                if case .refused(let refusal) = $0 { refusal.code == .notFound } else { false }
            })
        run.request(.run(try TaskID("user.one")))
        let next = try #require(run.take().orders.first)
        #expect(next.taskID == "user.one" && next.executionID != order.executionID)
        run.request(.delete(try TaskID("user.one")))
        #expect(
            !run.take().published.contains {
                if case .finished(let subject, _, _, _, _) = $0 {
                    subject.execution == order.executionID
                } else {
                    false
                }
            })
    }

    /// What follows an end that could not be written is not told as if it were there.
    @Test func whatBuildsUponWhatIsLostFallsWithIt() throws {
        var run = try CoreRun()
        try run.create("user.two", "@yearly")
        let order = try start(&run, retryingAfter: .seconds(600))
        run.isDamaged = { if case .endAttempt = $0 { true } else { false } }
        run.isStoreWell = false
        try run.fail(order)
        run.request(.delete(try TaskID("user.two")))
        run.request(.cancelTask(try TaskID("user.one"), now: false))
        run.isStoreWell = true
        run.answerStore()
        let actions = run.take()
        #expect(actions.replies.contains { if case .deleted = $0 { true } else { false } })
        #expect(!actions.replies.contains { if case .cancelled = $0 { true } else { false } })
        #expect(!actions.published.contains { if case .finished = $0 { true } else { false } })
    }

    /// Nothing at all can be written: all of it is kept, in its order, as of any other failure.
    @Test func whatNobodyCanWriteIsKept() throws {
        var run = try CoreRun()
        for name in ["user.one", "user.two", "user.three"] { try run.create(name, "@yearly") }
        for name in ["user.one", "user.two", "user.three"] {
            run.request(.run(try TaskID(name)))
        }
        let orders = run.take().orders
        #expect(orders.count == 3)
        run.isDamaged = { _ in true }
        for order in orders {
            run.report(
                .user,
                .finished(
                    attempt: order.attempt, sequence: 0,
                    exit: AttemptExit(
                        reply: .succeeded(result: Array("1".utf8)), exit: .exited(code: 0),
                        cause: nil, usage: .none)))
        }
        run.pass(.seconds(30))
        #expect(run.core.storeFailure != nil)
        #expect(!run.take().published.contains { if case .finished = $0 { true } else { false } })
        run.isDamaged = { _ in false }
        run.pass(.seconds(5))
        let ended = run.take().published.compactMap {
            if case .finished(let subject, _, _, _, _) = $0 { subject.execution } else { nil }
        }
        #expect(ended == orders.map(\.executionID))
        #expect(check(run)?.status == .healthy)
    }

    /// Whether a change writes a row of an instant of a task.
    private func isRow(_ change: StoreChange, of name: String) -> Bool {
        switch change {
        case .claim(let claim): claim.task.id.text == name
        case .occurrence(let key, _, _, _, _), .deferral(let key, _, _, _, _, _):
            key.id.text == name
        default: false
        }
    }

    private func isPlan(_ change: StoreChange, of name: String) -> Bool {
        switch change {
        case .setNextRun(let key, _): key.id.text == name
        case .updateTask(let task): task.id.text == name
        default: false
        }
    }

    /// A scheduler that dies in the midst of a search must not leave a next run behind that passed
    /// an instant without a row: the next one would not know of it.
    @Test(arguments: [TaskPolicies(), TaskPolicies(overlap: .queueAll)])
    func aNextRunWaitsForTheRowsOfWhatItPassed(_ policies: TaskPolicies) throws {
        var run = try CoreRun()
        try run.create("user.one", "interval:60", policies)
        let id = try TaskID("user.one")
        let first = try #require(run.core.tasks[id]?.record.nextRun)
        run.isDamaged = { isRow($0, of: "user.one") }
        let before = run.written.count
        run.pass(.seconds(200))
        #expect(run.core.storeFailure != nil)
        #expect(!run.written[before...].joined().contains { isPlan($0, of: "user.one") })
        run.isDamaged = { _ in false }
        run.pass(.seconds(5))
        var hasRow = false
        for change in run.written[before...].joined() {
            if case .claim(let claim) = change { hasRow = hasRow || claim.plannedAt == first }
            #expect(!isPlan(change, of: "user.one") || hasRow)
        }
        let next = run.written.joined().reversed().lazy.compactMap { change -> Instant? in
            if case .setNextRun(_, let next) = change { next } else { nil }
        }.first
        #expect(hasRow && next == run.core.tasks[id]?.record.nextRun)
        #expect(check(run)?.status == .healthy)
    }

    /// What waits for a row that is given up is written all the same: the next run, and a change of
    /// the task, which writes the next run too.
    @Test func aRowThatCannotBeWrittenIsGivenUpBeforeItIsPassed() throws {
        var run = try CoreRun()
        try run.create("user.one", "interval:60")
        try run.create("user.two", "@yearly")
        let id = try TaskID("user.one")
        let first = try #require(run.core.tasks[id]?.record.nextRun)
        run.isStoreWell = false
        run.pass(first - run.wall)
        _ = run.take()
        run.isDamaged = { isRow($0, of: "user.one") }
        let before = run.written.count
        let changed = try CoreRun.task(
            "user.one", "interval:60", TaskPolicies(priority: 7), at: run.wall)
        run.request(.update(changed))
        run.request(.run(try TaskID("user.two")))
        let given = { (run: CoreRun) in run.core.lost.words.contains { $0.contains("user.one") } }
        for _ in 0..<5 {
            run.pass(.seconds(1))
            while !run.batches.isEmpty {
                run.answerNext()
                let written = run.written[before...].joined()
                #expect(given(run) || !written.contains { isPlan($0, of: "user.one") })
            }
        }
        #expect(given(run))
        #expect(run.core.lost.words.allSatisfy { !$0.contains("the next run") })
        let written = run.written[before...].joined()
        #expect(written.contains { if case .updateTask = $0 { true } else { false } })
        #expect(written.contains { if case .setNextRun = $0 { true } else { false } })
        #expect(!run.take().replies.contains { if case .refused = $0 { true } else { false } })
        #expect(run.core.tasks[id]?.policies.priority == 7)
        #expect(run.core.waitingChanges == 0 && run.core.storeFailure == nil)
    }

    /// What waits in a search for what failed keeps its place behind others that fail after that.
    @Test func whatIsTriedOnceMoreIsWrittenInItsOrder() throws {
        var run = try CoreRun()
        try run.create("user.one", "@yearly")
        let key = try #require(run.core.tasks[try TaskID("user.one")]?.key)
        let now = run.wall
        func audit(_ action: String) -> StoreChange {
            .audit(AuditEntry(at: now, actor: "test", action: action, subject: "", detail: ""))
        }
        let (next, later) = (now + .seconds(60), now + .seconds(120))
        run.isDamaged = {
            switch $0 {
            case .setNextRun(_, let at): at == next
            case .audit(let entry): entry.action == "bad"
            default: false
            }
        }
        let changes = [
            .setNextRun(key, next), audit("good"), audit("bad"), .setNextRun(key, later),
            audit("well"),
        ]
        for change in changes { run.core.write([change]) }
        let before = run.written.count
        run.isStoreWell = false
        run.turn()
        while !run.batches.isEmpty {
            // Also what failed and is to be tried once more waits.
            let written = run.written[before...].joined().count
            #expect(run.core.waitingChanges == changes.count - written)
            if run.core.ledger.search?.isSecond == true { run.isDamaged = { _ in false } }
            run.answerNext()
        }
        let order = run.written[before...].joined().compactMap { change -> String? in
            switch change {
            case .setNextRun(_, let at): at == next ? "next" : "later"
            case .audit(let entry): entry.action
            default: nil
            }
        }
        #expect(order == ["good", "well", "next", "bad", "later"])
        #expect(run.core.lost.words.isEmpty)
    }
}
