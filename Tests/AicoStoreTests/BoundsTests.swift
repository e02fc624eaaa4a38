// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoKeys
import GRDB
import Testing

@testable import AicoStore

/// What only grows has a bound.
@Suite struct BoundsTests {
    let scratch: Scratch
    let store: TaskStore

    init() throws {
        scratch = try Scratch()
        store = try scratch.store()
        try store.perform([.createTask(try Fixture.task())])
    }

    private func audit(_ numbers: Range<Int>) throws {
        try store.perform(
            numbers.map { number in
                .audit(
                    AuditEntry(
                        at: Fixture.start + .seconds(number), actor: "viewer", action: "refused",
                        subject: "n\(number)"))
            })
    }

    private func pruneAll(before: Instant? = nil, _ limits: StoreLimits) throws -> Int {
        var removed = 0
        while true {
            let part = try store.prune(before: before, limits: limits)
            if part == 0 { return removed }
            removed += part
        }
    }

    private func limits(
        audit: Int = 1000, executions: Int = 1000, occurrences: Int = 1000, letters: Int = 1000
    ) -> StoreLimits {
        StoreLimits(
            auditEntries: audit, executionsPerTask: executions, occurrencesPerTask: occurrences,
            openDeadLetters: letters)
    }

    /// The changes of executions that end as dead letters.
    private func letters(_ numbers: Range<Int>) throws -> [[StoreChange]] {
        try numbers.map { number in
            let id = "e\(number)"
            return [
                try Fixture.claim(at: Int64(number), execution: id),
                Fixture.success(AttemptKey(UInt64(number) + 1)),
                .deadLetter(
                    execution: id, at: Fixture.start + .seconds(number), reason: "killed"),
            ]
        }
    }

    @Test func theOldestOpenDeadLettersArePurgedAndThatIsSaid() throws {
        let writer = try StoreWriter(store: store, limits: limits(executions: 5, letters: 30))
        for changes in try letters(0..<Upkeep.letterInterval) {
            #expect(try writer.written(changes).failure == nil)
        }
        // Sent back: none that anybody waits for.
        let sent = StoreChange.resolveDeadLetter(id: 90, at: Fixture.start, retriedAs: "e0")
        #expect(try writer.written([sent]).failure == nil)
        writer.close()
        #expect(writer.takePurged() == 70)
        #expect(writer.takePurged() == 0)
        let after = try scratch.store()
        #expect(try after.openDeadLetters() == 29)
        let left = try after.deadLetters(limit: 1000).map(\.id)
        #expect(left == (71...100).reversed().filter { $0 != 90 })
        let audited = try after.audit(limit: 10).filter { $0.action == "dlq.purge" }
        #expect(audited.map(\.actor) == ["store"] && audited.map(\.subject) == ["70"])
        #expect(audited.map(\.at) == [Fixture.start + .seconds(99)])
        #expect(try after.verifyAudit() == .intact(entries: 1))
        // What they kept goes as all other history does.
        #expect(try after.prune(limits: limits(executions: 5, letters: 30)) > 0)
        #expect(try after.history(limit: 1000).map(\.id).contains("e71"))
        #expect(try !after.history(limit: 1000).map(\.id).contains("e69"))
    }

    @Test func deadLettersComeInPages() throws {
        for changes in try letters(0..<5) { try store.perform(changes) }
        try store.perform([.purgeDeadLetter(id: 3)])
        #expect(try store.deadLetters(limit: 2).map(\.id) == [5, 4])
        #expect(try store.deadLetters(before: 4, limit: 2).map(\.id) == [2, 1])
        #expect(try store.deadLetters(before: 1, limit: 2).isEmpty)
    }

    @Test func theOldestAuditEntriesGoAndTheChainHolds() throws {
        try audit(0..<700)
        #expect(try pruneAll(limits(audit: 100)) == 600)
        #expect(try store.verifyAudit() == .intact(entries: 100))
        #expect(try store.audit(limit: 1000).map(\.subject).last == "n600")
        try audit(700..<720)
        #expect(try store.verifyAudit() == .intact(entries: 120))
        #expect(try pruneAll(limits(audit: 100)) == 20)
        #expect(try store.verifyAudit() == .intact(entries: 100))
        #expect(try pruneAll(limits(audit: 100)) == 0)
    }

    @Test func auditEntriesGoByAgeButNeverTheLast() throws {
        try audit(0..<300)
        #expect(try pruneAll(before: Fixture.start + .seconds(250), limits()) == 250)
        #expect(try pruneAll(before: Fixture.start + .seconds(9999), limits()) == 49)
        #expect(try store.verifyAudit() == .intact(entries: 1))
        try audit(300..<301)
        #expect(try store.verifyAudit() == .intact(entries: 2))
    }

    @Test(arguments: [
        // Whoever cannot read the key moves the beginning behind what is to go.
        """
        UPDATE audit_anchor SET link = (SELECT link FROM audit_log WHERE id = 60), last_id = 60;
        DELETE FROM audit_log WHERE id <= 60;
        """,
        "DELETE FROM audit_anchor",
        "UPDATE audit_anchor SET removed = 3",
        "DELETE FROM audit_log WHERE id = 51",
        "UPDATE audit_anchor SET seal = 'text'",
    ])
    func aMovedBeginningIsFound(sql: String) throws {
        try audit(0..<100)
        #expect(try pruneAll(limits(audit: 50)) == 50)
        try store.execute(sql)
        guard case .broken = try store.verifyAudit() else {
            Issue.record("not found")
            return
        }
        // And is not tidied away.
        #expect(try pruneAll(limits(audit: 10)) == 0)
    }

    @Test func theOldestExecutionsOfATaskGoWithAllTheirRows() throws {
        for second in Int64(0)..<300 {
            let outcomes = try store.perform([
                try Fixture.claim(at: second, execution: "e\(second)")
            ])
            guard case .claimed(let attempt, _)? = outcomes.first else { continue }
            // Runs on, whatever its age.
            if second == 0 { continue }
            try store.perform([
                Fixture.line(attempt, 1, "a line", execution: "e\(second)"),
                Fixture.success(attempt),
            ])
        }
        // Still has to be looked at by somebody.
        try store.perform([.deadLetter(execution: "e1", at: Fixture.start, reason: "killed")])
        #expect(try pruneAll(limits(executions: 50)) == 2 * (250 - 2))
        let left = try store.history(limit: 1000)
        #expect(left.count == 52)
        #expect(left.suffix(2).map(\.id) == ["e1", "e0"])
        #expect(try store.count("task_attempts") == 52)
        #expect(try store.count("execution_logs") == 51)
        #expect(try pruneAll(limits(occurrences: 20)) == 280)
        #expect(try store.count("occurrences") == 20)
        #expect(try store.integrityProblems().isEmpty)
    }

    @Test func oneStepIsShortHoweverMuchThereIsToRemove() throws {
        let outcomes = try store.perform([
            try Fixture.claim(), try Fixture.claim(at: 1, execution: "e2"),
        ])
        guard case .claimed(let attempt, _) = outcomes[0],
            case .claimed(let second, _) = outcomes[1]
        else { return }
        try store.perform((0..<5000).map { Fixture.line(attempt, $0, "x") })
        try store.perform([Fixture.success(attempt), Fixture.success(second)])
        #expect(try store.prune(limits: limits(executions: 1)) == 2000)
        #expect(try store.count("task_executions") == 2)
        #expect(try pruneAll(limits(executions: 1)) == 3001)
        #expect(try store.history(limit: 9).map(\.id) == ["e2"])
    }

    @Test func theWriterRemovesWhatIsBeyondItsLimitsWhenItIsIdle() throws {
        let writer = try StoreWriter(store: store, limits: limits(audit: 100, executions: 30))
        for second in Int64(0)..<50 {
            let claim = try Fixture.claim(at: second, execution: "e\(second)")
            let result = try writer.written([
                claim, Fixture.success(AttemptKey(UInt64(second) + 1)),
            ])
            #expect(result.failure == nil)
        }
        let entry = StoreChange.audit(
            AuditEntry(at: Fixture.start, actor: "viewer", action: "refused", subject: "x"))
        for token in UInt64(0)..<12 {
            writer.submit([StoreChange](repeating: entry, count: 500), token: token)
        }
        #expect(try writer.results(12).allSatisfy { $0.result.failure == nil })
        // Idle from now on; closing waits for what it does.
        writer.close()
        let after = try scratch.store()
        #expect(try after.verifyAudit() == .intact(entries: 100))
        #expect(try after.count("task_executions") == 30)
    }

    @Test func theAuditLogHasABoundUnderALoadThatNeverEnds() throws {
        var upkeep = Upkeep(limits: limits(audit: 100))
        let entry = StoreChange.audit(
            AuditEntry(at: Fixture.start, actor: "viewer", action: "refused", subject: "x"))
        let changes = [StoreChange](repeating: entry, count: 500)
        for round in UInt64(0)..<50 {
            try store.perform(changes)
            upkeep.note([BatchWriter.Submission(changes: changes, token: round)])
            upkeep.run(store) { false }
        }
        #expect(try store.count("audit_log") <= 2 * Upkeep.interval)
        guard case .intact = try store.verifyAudit() else {
            Issue.record("broken")
            return
        }
    }

    @Test func theLogBesideALongReaderShrinksOnceItEnds() throws {
        let reader = try DatabaseQueue(path: scratch.database, configuration: unsafe)
        try reader.writeWithoutTransaction { db in
            try db.execute(sql: "BEGIN")
            _ = try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM scheduled_tasks")
        }
        let writer = try StoreWriter(store: store)
        var number = 0
        func write() throws {
            number += 1
            var task = try Fixture.task("user.t\(number)")
            task.config = [UInt8](repeating: 0x20, count: StoredTask.maximumConfigBytes)
            let result = try writer.written([StoreChange](repeating: .createTask(task), count: 1))
            #expect(result.failure == nil)
        }
        while store.walBytes <= 40 << 20 { try write() }
        try reader.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
        // Tried again each time that it has grown by a quarter.
        #expect(writer.walBytes == store.walBytes)
        let bound = store.walBytes * 3 / 2
        while store.walBytes > 32 << 20 {
            try write()
            try #require(store.walBytes < bound)
        }
        writer.close()
        #expect(store.walBytes == 0)
    }

    private var unsafe: Configuration {
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        return configuration
    }
}
