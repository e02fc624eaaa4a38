// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoKeys
import Foundation
import Testing

@testable import AicoStore

/// Pages that hold noise: what does not need them goes on.
@Suite struct DamageTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    /// Puts noise in place of a page.
    private func damage(page: Int) throws {
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: scratch.database))
        try file.seek(toOffset: UInt64(page - 1) * 4096)
        try file.write(contentsOf: Data(repeating: 0xA5, count: 4096))
        try file.close()
    }

    /// Fills a store: of each ten executions nine ended, and one runs or waits in turns.
    private func fill(_ count: Int64) throws {
        let store = try scratch.store()
        try store.perform([.createTask(try Fixture.task())])
        for second in 0..<count {
            let outcomes = try store.perform([
                try Fixture.claim(at: second, execution: "e\(second)")
            ])
            guard case .claimed(let attempt, _)? = outcomes.first else { continue }
            switch second % 20 {
            case 0: break
            case 10:
                try store.perform([
                    .endAttempt(
                        AttemptEnd(
                            attempt: attempt, at: Fixture.start,
                            outcome: Outcome(.failedTransient),
                            next: .waiting(retryAt: Fixture.start + .seconds(second))))
                ])
            default: try store.perform([Fixture.success(attempt)])
            }
            try store.perform([
                .deferral(
                    try Fixture.key(), plannedAt: Fixture.start + .seconds(10_000 + second),
                    reason: "load", trigger: .schedule, execution: "d\(second)",
                    at: Fixture.start)
            ])
        }
        try store.close()
    }

    private func leaves(of table: String) throws -> [Int] {
        let store = try scratch.store()
        defer { try? store.close() }
        return try store.leafPages(of: table)
    }

    @Test func aDamagedPageOfAttemptsStopsNothingElse() throws {
        try fill(600)
        let pages = try leaves(of: "task_attempts")
        try #require(pages.count > 8)
        // Two in a row, and one alone.
        for index in [2, 3, 6] { try damage(page: pages[index]) }
        let store = try scratch.store()
        let running = try store.runningAttempts()
        // A page's rows at most, with room for pages that hold more than the others.
        let lost = 3 * 600 / (pages.count - 1) * 3 / 2
        #expect((1...2).contains(running.damages.count))
        #expect(running.damages.allSatisfy { $0.cause == .damaged })
        let found = Set(running.records.map(\.executionID))
        #expect(found.count >= 30 - lost / 20 - 2)
        #expect(found.count < 30)
        #expect(found.contains("e0"))
        #expect(found.contains("e580"))
        let reader = try StoreReader(path: scratch.database, keys: Fixture.keys)
        let told = try reader.answer { store throws(StoreError) in
            Array(try store.damage().joined(separator: "; ").utf8)
        }
        // Which tree and page, as SQLite words it.
        let words = String(decoding: try told.get(), as: UTF8.self)
        #expect(words.contains("Page"))
        // What it needs is sound: it ends, and the next one starts.
        guard let last = running.records.last else { return }
        #expect(try store.perform([Fixture.success(AttemptKey(last.key))]) == [.done])
        let outcomes = try store.perform([try Fixture.claim(at: 9999, execution: "new")])
        #expect(outcomes == [.claimed(attempt: AttemptKey(601), number: 1)])
        #expect(try store.waitingExecutions().records.count == 30)
    }

    /// A sound page whose row holds what no column of its kind holds: it is told or passed over, and
    /// nobody's process ends.
    @Test(arguments: [
        "task_executions SET duration_seconds = 'abc'", "task_executions SET outcome = x'ff'",
        "task_executions SET retry_count = 1e30",
        "task_executions SET retry_count = 9223372036854775807",
        "task_executions SET retry_count = -1", "task_executions SET started_at = 7",
        "task_executions SET id = 9223372036854775807 WHERE execution_id = 'e10'",
        "task_attempts SET number = 4294967295", "task_attempts SET number = 5000000000",
        "task_attempts SET number = -1", "task_attempts SET started_at = x'ff'",
        "occurrences SET disposition = 'ran', reason = x'ff'",
        "dead_letters SET attempts = 'many'", "scheduled_tasks SET policies = x'ff'",
    ])
    func aRowThatHoldsAnythingEndsNoProcess(_ change: String) throws {
        try fill(20)
        let store = try scratch.store()
        try store.perform([
            .deadLetter(execution: "e1", at: Fixture.start, reason: "timed_out")
        ])
        try store.execute("UPDATE \(change)")
        let stats = try store.stats(since: Fixture.start)
        #expect(stats.tasks == 1)
        _ = try? store.history(limit: 100)
        _ = try? store.attempts(execution: "e10")
        _ = try? store.deadLetters(limit: 100)
        _ = try store.tasks()
        _ = try store.occurrences(task: "user.backup", limit: 100)
        let waiting = try store.waitingExecutions()
        let running = try store.runningAttempts()
        #expect(waiting.records.count + waiting.damages.count == 1)
        #expect(running.records.count + running.damages.count == 1)
        for row in waiting.records {
            // A refusal of the store as a whole would hold up every change behind it.
            do {
                try store.perform([.retry(execution: row.id, at: Fixture.start)])
            } catch { #expect(error.cause.failure == nil) }
        }
    }

    /// Another process with the file open can take a column away: that is an error of each read.
    @Test func aColumnThatIsGoneIsAnError() throws {
        try fill(20)
        let store = try scratch.store()
        _ = try store.history(limit: 100)
        try store.execute("ALTER TABLE task_executions DROP COLUMN error_message")
        try store.execute("ALTER TABLE dead_letters DROP COLUMN retried_as")
        #expect(throws: StoreError.self) { try store.history(limit: 100) }
        #expect(throws: StoreError.self) { try store.waitingExecutions() }
        #expect(throws: StoreError.self) { try store.deadLetters(limit: 100) }
        #expect(try store.tasks().records.count == 1)
    }

    @Test func aDamagedIndexOfAttemptsStopsNothing() throws {
        try fill(100)
        for page in try leaves(of: "idx_task_attempts_running") { try damage(page: page) }
        let running = try scratch.store().runningAttempts()
        #expect(running.records.map(\.executionID) == ["e0", "e20", "e40", "e60", "e80"])
        #expect(running.damages.isEmpty)
    }

    @Test func aDamagedPageOfExecutionsLosesWhatWasOnItAlone() throws {
        try fill(600)
        let pages = try leaves(of: "task_executions")
        // Every twentieth waits, and as many run: two pages hold some of both.
        let middle = pages.count / 2
        for page in pages[middle...(middle + 1)] { try damage(page: page) }
        let store = try scratch.store()
        let waiting = try store.waitingExecutions()
        #expect(!waiting.damages.isEmpty)
        #expect((20..<30).contains(waiting.records.count))
        let running = try store.runningAttempts()
        #expect(!running.damages.isEmpty)
        #expect((20..<30).contains(running.records.count))
        #expect(try store.tasks().damages.isEmpty)
    }

    @Test func aDamagedPageOfInstantsLosesWhatWasOnItAlone() throws {
        try fill(600)
        let pages = try leaves(of: "occurrences")
        let sound = try scratch.store().deferredOccurrences()
        #expect(sound.records.count == 600)
        try damage(page: pages[pages.count * 3 / 4])
        let found = try scratch.store().deferredOccurrences()
        #expect(!found.damages.isEmpty)
        #expect((500..<600).contains(found.records.count))
        #expect(found.records.map(\.plannedAt) == found.records.map(\.plannedAt).sorted())
    }

    @Test func aDamagedPageOfTasksLosesWhatWasOnItAlone() throws {
        let store = try scratch.store()
        try store.perform(
            try (100..<400).map { .createTask(try Fixture.task("user.t\($0)")) })
        try store.close()
        let pages = try leaves(of: "scheduled_tasks")
        try damage(page: pages[pages.count / 2])
        let tasks = try scratch.store().tasks()
        #expect(!tasks.damages.isEmpty)
        #expect((270..<300).contains(tasks.records.count))
        #expect(tasks.records.first?.id.text == "user.t100")
        #expect(tasks.records.last?.id.text == "user.t399")
    }

    @Test func aRowOfNonsenseIsNamedAndTheOthersAreRead() throws {
        try fill(60)
        let store = try scratch.store()
        try store.execute("UPDATE task_attempts SET started_at = x'00' WHERE id = 1")
        try store.execute("UPDATE task_attempts SET number = 'no' WHERE id = 21")
        let running = try store.runningAttempts()
        #expect(running.records.map(\.executionID) == ["e40"])
        #expect(
            running.damages.map(\.description) == [
                "cannot read attempt \"1\": its started_at is malformed",
                "cannot read attempt \"21\": its number is malformed",
            ])
    }

    @Test func aBatchThatNeedsADamagedPageFailsAndTheOthersDoNot() throws {
        try fill(600)
        let pages = try leaves(of: "task_attempts")
        try damage(page: pages[3])
        let store = try scratch.store()
        let all = Set((0..<30).map { UInt64($0 * 20 + 1) })
        let readable = Set(try store.runningAttempts().records.map(\.key))
        let lost = try #require(all.subtracting(readable).first)
        let sound = try #require(readable.max())
        let writer = try StoreWriter(store: store)
        // Likely merged into one transaction.
        writer.submit([Fixture.success(AttemptKey(lost))], token: 1)
        writer.submit([Fixture.success(AttemptKey(sound))], token: 2)
        writer.submit([try Fixture.claim(at: 9999, execution: "new")], token: 3)
        let results = try writer.results(3)
        #expect(results[0].result.failure?.kind == .damaged)
        #expect(try results[1].result.get() == [.outcome(.done)])
        #expect(
            try results[2].result.get()
                == [.outcome(.claimed(attempt: AttemptKey(601), number: 1))])
    }

    @Test func anotherKeyDoesNotOpenTheStore() throws {
        try fill(1)
        let error = #expect(throws: StoreError.self) {
            try TaskStore(
                path: scratch.database, keys: KeyRing(masterKey: [UInt8](repeating: 1, count: 32)))
        }
        #expect(error?.cause == .wrongKey)
        #expect(error?.trouble.kind == .key)
        #expect(error?.description.contains("put the right master.key back") == true)
        _ = try scratch.store()
    }

    /// A database of before the check value: its sealed configs say whose it is.
    @Test func anotherKeyDoesNotOpenAnOlderStore() throws {
        try fill(1)
        let store = try scratch.store()
        try store.execute("DELETE FROM key_check")
        try store.close()
        let error = #expect(throws: StoreError.self) {
            try TaskStore(
                path: scratch.database, keys: KeyRing(masterKey: [UInt8](repeating: 1, count: 32)))
        }
        #expect(error?.cause == .wrongKey)
        #expect(try scratch.store().count("key_check") == 1)
    }
}
