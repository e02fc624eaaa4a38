// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoStore
import Testing

@Suite struct ExecutionTests {
    let scratch: Scratch
    let store: TaskStore

    init() throws {
        scratch = try Scratch()
        store = try scratch.store()
        try store.perform([.createTask(try Fixture.task())])
    }

    private func claimed(_ change: StoreChange) throws -> AttemptKey {
        let outcome = try #require(try store.perform([change]).first)
        guard case .claimed(let attempt, _) = outcome else {
            throw TestFailure(outcome: outcome)
        }
        return attempt
    }

    private struct TestFailure: Error { let outcome: StoreOutcome }

    private func failure(_ attempt: AttemptKey, retryAt: Instant) -> StoreChange {
        .endAttempt(
            AttemptEnd(
                attempt: attempt, at: Fixture.start + .seconds(1),
                outcome: Outcome(.failedTransient, .exitCode), message: "no network",
                next: .waiting(retryAt: retryAt)))
    }

    @Test func aClaimWritesAllItsRowsBeforeItReturns() throws {
        let next = Fixture.start + .seconds(300)
        let attempt = try claimed(try Fixture.claim(nextRun: .set(next)))
        let running = try store.runningAttempts().records
        #expect(running.map(\.key) == [attempt.value])
        #expect(running.first?.executionID == "e1")
        #expect(running.first?.plannedAt == Fixture.start)
        let execution = try store.execution("e1")
        #expect(execution?.state == .running)
        #expect(execution?.trigger == .schedule)
        #expect(execution?.success == nil)
        let occurrence = try store.occurrences(task: "user.backup", limit: 1).records.first
        #expect(occurrence?.disposition == .ran)
        #expect(occurrence?.executionID == "e1")
        let task = try store.task(try TaskID("user.backup"))
        #expect(task?.nextRun == next)
        #expect(task?.lastRun == Fixture.start + .milliseconds(2))
    }

    @Test func anInstantIsClaimedOnce() throws {
        _ = try claimed(try Fixture.claim())
        let next = Fixture.start + .seconds(600)
        #expect(
            try store.perform([try Fixture.claim(execution: "e2", nextRun: .set(next))])
                == [.alreadyClaimed])
        #expect(try store.execution("e2") == nil)
        #expect(try store.task(try TaskID("user.backup"))?.nextRun == next)
        #expect(try store.count("task_attempts") == 1)
    }

    @Test func aClaimThatFailsLeavesTheRestOfItsBatchAlone() throws {
        _ = try claimed(try Fixture.claim())
        let outcomes = try store.perform([
            try Fixture.claim(execution: "e2"), try Fixture.claim(at: 60, execution: "e3"),
        ])
        #expect(outcomes[0] == .alreadyClaimed)
        #expect(outcomes[1] == .claimed(attempt: AttemptKey(2), number: 1))
    }

    @Test func anEndedAttemptEndsItsExecutionOnce() throws {
        let attempt = try claimed(try Fixture.claim())
        let layers = LayerReport(held: ["seccomp"], missing: [])
        #expect(
            try store.perform([
                .attemptConfined(attempt: attempt, layers), Fixture.success(attempt),
                Fixture.success(attempt, result: "2"),
                .attemptConfined(attempt: attempt, layers),
            ]) == [.done, .done, .notFound, .notFound])
        let execution = try #require(try store.execution("e1"))
        #expect(execution.state == .ended)
        #expect(execution.success == true)
        #expect(execution.outcome == "succeeded")
        #expect(execution.result == Array(#"{"n":1}"#.utf8))
        #expect(execution.duration == .milliseconds(1998))
        #expect(execution.attempts == 1)
        let attempts = try store.attempts(execution: "e1")
        #expect(attempts.map(\.outcome) == ["succeeded"])
        #expect(attempts.first?.layers == Array(layers.json.text().utf8))
        let ending = try JSONValue.parse(try #require(attempts.first?.ending))
        #expect(ending["exit_code"] == 0)
        #expect(try store.runningAttempts().records.isEmpty)
    }

    @Test func aRetryIsANewAttemptOfTheSameExecution() throws {
        let retryAt = Fixture.start + .seconds(60)
        let first = try claimed(try Fixture.claim())
        try store.perform([failure(first, retryAt: retryAt)])
        let waiting = try store.waitingExecutions().records
        #expect(waiting.map(\.id) == ["e1"])
        #expect(waiting.first?.retryAt == retryAt)
        #expect(waiting.first?.errorMessage == "no network")
        #expect(
            try store.perform([.retry(execution: "e1", at: retryAt)])
                == [.claimed(attempt: AttemptKey(first.value + 1), number: 2)])
        // Only a waiting execution can be retried: a second order must not go out.
        #expect(try store.perform([.retry(execution: "e1", at: retryAt)]) == [.notFound])
        try store.perform([Fixture.success(AttemptKey(first.value + 1))])
        let execution = try store.execution("e1")
        #expect(execution?.attempts == 2)
        #expect(execution?.errorMessage == nil)
        #expect(try store.attempts(execution: "e1").map(\.number) == [1, 2])
    }

    /// The first attempt's was the execution's too: the instant waits as before it.
    @Test func aClaimThatIsTakenBackNeverWas() throws {
        let store = try scratch.store()
        try store.perform([.createTask(try Fixture.task())])
        let first = AttemptKey(1)
        #expect(
            try store.perform([try Fixture.claim()]) == [.claimed(attempt: first, number: 1)])
        let unclaim = StoreChange.unclaim(attempt: first, reason: "worker", at: Fixture.start)
        #expect(try store.perform([unclaim, unclaim]) == [.done, .notFound])
        #expect(try store.execution("e1") == nil)
        #expect(try store.runningAttempts().records.isEmpty)
        let waiting = try #require(try store.deferredOccurrences().records.first)
        #expect(waiting.executionID == "e1" && waiting.reason == "worker")
        #expect(waiting.trigger == .schedule)
        // Its number is another's never again.
        let second = AttemptKey(2)
        #expect(
            try store.perform([try Fixture.claim()]) == [.claimed(attempt: second, number: 1)])
        #expect(try store.deferredOccurrences().records.isEmpty)
        #expect(try store.execution("e1")?.attempts == 1)
    }

    /// A further attempt leaves its execution to wait for it.
    @Test func aRetryThatIsTakenBackWaitsAgain() throws {
        let store = try scratch.store()
        try store.perform([.createTask(try Fixture.task()), try Fixture.claim()])
        try store.perform([
            .endAttempt(
                AttemptEnd(
                    attempt: AttemptKey(1), at: Fixture.start, outcome: Outcome(.failedTransient),
                    next: .waiting(retryAt: Fixture.start))),
            .retry(execution: "e1", at: Fixture.start),
        ])
        let at = Fixture.start + .seconds(7)
        let outcomes = try store.perform([
            .unclaim(attempt: AttemptKey(2), reason: "worker", at: at)
        ])
        #expect(outcomes == [.done])
        let waiting = try #require(try store.waitingExecutions().records.first)
        #expect(waiting.attempts == 1 && waiting.retryAt == at)
        #expect(try store.attempts(execution: "e1").map(\.number) == [1])
        #expect(
            try store.perform([.retry(execution: "e1", at: at)])
                == [.claimed(attempt: AttemptKey(3), number: 2)])
    }

    @Test func aWaitingExecutionCanBeEnded() throws {
        let attempt = try claimed(try Fixture.claim())
        let end = ExecutionEnd(outcome: Outcome(.cancelled, .requested))
        let change = StoreChange.endWaiting(execution: "e1", at: Fixture.start, end)
        #expect(try store.perform([change]) == [.notFound])
        try store.perform([failure(attempt, retryAt: Fixture.start)])
        #expect(try store.perform([change]) == [.done])
        #expect(try store.execution("e1")?.reason == "requested")
        #expect(try store.perform([.retry(execution: "e1", at: Fixture.start)]) == [.notFound])
    }

    @Test func aDeferredInstantMayStillRunAndADecidedOneMayNot() throws {
        let key = try Fixture.key()
        func decide(_ disposition: OccurrenceDisposition, _ reason: String) -> StoreChange {
            .occurrence(
                key, plannedAt: Fixture.start, disposition, reason: reason, at: Fixture.start)
        }
        #expect(try store.perform([decide(.deferred, "cpu")]) == [.done])
        #expect(try store.deferredOccurrences().records.map(\.reason) == ["cpu"])
        #expect(try store.perform([decide(.deferred, "memory")]) == [.done])
        _ = try claimed(try Fixture.claim())
        #expect(try store.deferredOccurrences().records.isEmpty)
        #expect(try store.perform([decide(.skipped, "overlap")]) == [.alreadyClaimed])
        let occurrences = try store.occurrences(task: "user.backup", limit: 9).records
        #expect(occurrences.map(\.disposition) == [.ran])
    }

    @Test func logLinesKeepTheirOrderAndArriveOnce() throws {
        let attempt = try claimed(try Fixture.claim())
        func line(_ sequence: UInt32, _ text: String) -> StoreChange {
            Fixture.line(attempt, sequence, text)
        }
        #expect(
            try store.perform([line(1, "one"), line(2, "two"), line(2, "again")])
                == [.done, .done, .notFound])
        let lines = try store.logs(execution: "e1", limit: 10)
        #expect(lines.map(\.line) == ["one", "two"])
        let cursor = try #require(lines.first?.id)
        #expect(try store.logs(execution: "e1", after: cursor, limit: 10).map(\.line) == ["two"])
        let stray = Fixture.line(AttemptKey(9), 0, "", execution: "none")
        #expect(try store.perform([stray]) == [.notFound])
    }

    @Test func anOverlongLineIsCut() throws {
        let attempt = try claimed(try Fixture.claim())
        let text = String(repeating: "x", count: TaskStore.maximumLineBytes + 9)
        try store.perform([Fixture.line(attempt, 0, text)])
        let line = try store.logs(execution: "e1", limit: 1).first?.line
        #expect(line?.utf8.count == TaskStore.maximumLineBytes)
        #expect(line?.hasSuffix("x ... [cut: \(text.utf8.count) bytes]") == true)
    }

    /// What a task's longest line comes to with the mark of its cut, characters replaced included.
    @Test func theMarkOfALineThatWasCutIsKept() throws {
        let attempt = try claimed(try Fixture.claim())
        let mark = CutText.mark(ofBytes: 70_000)
        for (sequence, character) in ["a", "\u{FFFD}"].enumerated() {
            let text = String(repeating: character, count: 16 * 1024) + mark
            try store.perform([Fixture.line(attempt, UInt32(sequence), text)])
            let line = try store.logs(execution: "e1", limit: 2).last?.line
            #expect(line == text)
        }
    }

    @Test func deadLettersAreBuriedSentBackAndPurged() throws {
        let attempt = try claimed(try Fixture.claim())
        let toDeadLetters = StoreChange.deadLetter(
            execution: "e1", at: Fixture.start, reason: "failed_permanent")
        #expect(try store.perform([toDeadLetters]) == [.notFound])
        try store.perform([Fixture.success(attempt)])
        #expect(try store.perform([toDeadLetters, toDeadLetters]) == [.done, .alreadyExists])
        let letter = try #require(try store.deadLetters(limit: 9).first)
        #expect(letter.executionID == "e1")
        #expect(letter.attempts == 1)
        let resolve = StoreChange.resolveDeadLetter(
            id: letter.id, at: Fixture.start, retriedAs: "e2")
        #expect(try store.perform([resolve, resolve]) == [.done, .notFound])
        #expect(try store.deadLetters(limit: 9).isEmpty)
        #expect(
            try store.deadLetters(includeResolved: true, limit: 9).map(\.retriedAs) == ["e2"])
        #expect(try store.deadLetter(id: letter.id)?.retriedAs == "e2")
        #expect(try store.deadLetter(id: letter.id + 1) == nil)
        #expect(try store.perform([.purgeDeadLetter(id: letter.id + 1)]) == [.notFound])
        #expect(try store.count("dead_letters") == 1)
        try store.perform([.purgeDeadLetters])
        #expect(try store.count("dead_letters") == 0)
    }

    @Test func aResultThatDoesNotOpenIsMarked() throws {
        try store.perform([Fixture.success(try claimed(try Fixture.claim()))])
        try store.execute("UPDATE task_executions SET result = 'AAAA'")
        let execution = try store.execution("e1")
        #expect(execution?.isUnreadable == true)
        #expect(execution?.result == nil)
    }

    @Test func statsCountOutcomesAndTimes() throws {
        try store.perform([Fixture.success(try claimed(try Fixture.claim()))])
        let second = try claimed(try Fixture.claim(at: 1, execution: "e2"))
        try store.perform([
            failure(second, retryAt: Fixture.start),
            .occurrence(
                try Fixture.key(), plannedAt: Fixture.start + .seconds(9), .skipped,
                reason: "overlap", at: Fixture.start),
        ])
        _ = try claimed(try Fixture.claim(at: 2, execution: "e3"))
        let stats = try store.stats(since: Fixture.start)
        #expect(stats.tasks == 1)
        #expect(stats.enabledTasks == 1)
        #expect(stats.running == 1)
        #expect(stats.waiting == 1)
        #expect(stats.outcomes == ["succeeded": 1])
        #expect(stats.notRun == ["skipped": 1])
        #expect(stats.meanSeconds == 1.998)
        #expect(try store.stats(since: Fixture.start, task: "user.none").outcomes.isEmpty)
        #expect(try store.stats(since: Fixture.start + .seconds(60)).outcomes.isEmpty)
    }
}
