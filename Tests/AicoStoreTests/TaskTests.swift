// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoKeys
import AicoStore
import Testing

@Suite struct TaskTests {
    let scratch: Scratch
    let store: TaskStore

    init() throws {
        scratch = try Scratch()
        store = try scratch.store()
    }

    @Test func aTaskReadsBackAsWritten() throws {
        let task = try Fixture.task()
        #expect(try store.perform([.createTask(task)]) == [.done])
        #expect(try store.task(task.id) == task)
        #expect(try store.tasks().records == [task])
    }

    @Test func aSecondTaskOfTheSameIDIsRefused() throws {
        let task = try Fixture.task()
        #expect(
            try store.perform([.createTask(task), .createTask(task)]) == [.done, .alreadyExists])
    }

    @Test func anUpdateKeepsLastRun() throws {
        var task = try Fixture.task()
        try store.perform([.createTask(task), try Fixture.claim()])
        task.schedule = "@hourly"
        task.enabled = false
        task.nextRun = nil
        #expect(try store.perform([.updateTask(task)]) == [.done])
        let stored = try store.task(task.id)
        #expect(stored?.schedule == "@hourly")
        #expect(stored?.enabled == false)
        #expect(stored?.nextRun == nil)
        #expect(stored?.lastRun == Fixture.start + .milliseconds(2))
    }

    @Test func changesOfUnknownTasksAreReported() throws {
        let task = try Fixture.task()
        #expect(
            try store.perform([
                .updateTask(task), .deleteTask(task.key, at: Fixture.start),
                .setNextRun(task.key, nil), try Fixture.claim(),
            ]) == [.notFound, .notFound, .notFound, .notFound])
        #expect(try store.count("occurrences") == 0)
    }

    @Test func deletingKeepsHistoryAndFreesTheID() throws {
        let task = try Fixture.task()
        try store.perform([
            .createTask(task), try Fixture.claim(), .deleteTask(task.key, at: Fixture.start),
        ])
        #expect(try store.task(task.id) == nil)
        #expect(try store.tasks().records.isEmpty)
        #expect(try store.deletedTaskIDs().records == ["user.backup"])
        #expect(try store.history(task: "user.backup", limit: 10).map(\.id) == ["e1"])
        #expect(try store.perform([try Fixture.claim(at: 60, execution: "e2")]) == [.notFound])
        #expect(try store.perform([.createTask(task)]) == [.done])
        #expect(try store.task(task.id) == task)
        #expect(try store.deletedTaskIDs().records.isEmpty)
        #expect(try store.integrityProblems().isEmpty)
    }

    @Test func aTaskMadeAnewUnderAnOldNameHasNothingOfTheOldOne() throws {
        let old = try Fixture.task()
        var new = old
        new.key = try Fixture.key(uid: "another")
        new.nextRun = nil
        try store.perform([
            .createTask(old), try Fixture.claim(), .deleteTask(old.key, at: Fixture.start),
            .createTask(new),
        ])
        #expect(try store.task(new.id) == new)
        // What the old one's execution still does touches the old identity alone.
        #expect(
            try store.perform([
                .setNextRun(old.key, Fixture.start), .updateTask(old),
                try Fixture.claim(execution: "e2"), .deleteTask(old.key, at: Fixture.start),
            ]) == [.notFound, .notFound, .notFound, .notFound])
        #expect(try store.task(new.id) == new)
        #expect(try store.history(uid: new.key.uid, limit: 9).isEmpty)
        #expect(try store.history(uid: old.key.uid, limit: 9).map(\.id) == ["e1"])
        #expect(try store.stats(since: Fixture.start, task: new.key.uid).running == 0)
        // The same instant is free for the new one.
        let outcomes = try store.perform([
            .claim(
                Claim(
                    task: new.key, plannedAt: Fixture.start, executionID: "e3",
                    trigger: .schedule, at: Fixture.start, nextRun: .keep))
        ])
        #expect(outcomes == [.claimed(attempt: AttemptKey(2), number: 1)])
    }

    @Test func configsUpToTheLimitAreTakenAndLargerOnesRefused() throws {
        var task = try Fixture.task()
        task.config = [UInt8](repeating: 0x20, count: StoredTask.maximumConfigBytes)
        #expect(try store.perform([.createTask(task)]) == [.done])
        #expect(try store.task(task.id)?.config.count == StoredTask.maximumConfigBytes)
        task.config.append(0x20)
        let refusal = StoreError(
            operation: "store task", subject: "user.backup",
            cause: .tooLarge(bytes: 65537, maximum: 65536))
        #expect(throws: refusal) { try store.perform([.updateTask(task)]) }
        task.config = []
        task.policies = [UInt8](repeating: 0x20, count: StoredTask.maximumPoliciesBytes + 1)
        #expect(throws: StoreError.self) { try store.perform([.updateTask(task)]) }
    }

    @Test func aThrownErrorUndoesTheWholeBatch() throws {
        var large = try Fixture.task("user.large")
        large.config = [UInt8](repeating: 0x20, count: StoredTask.maximumConfigBytes + 1)
        #expect(throws: StoreError.self) {
            try store.perform([.createTask(try Fixture.task()), .createTask(large)])
        }
        #expect(try store.tasks().records.isEmpty)
    }

    @Test func aDamagedTaskIsNamedAndTheOthersAreRead() throws {
        try store.perform([
            .createTask(try Fixture.task("user.a")), .createTask(try Fixture.task("user.b")),
        ])
        // A config moved from one task to another is damage too: it is bound to its row.
        try store.execute(
            """
            UPDATE scheduled_tasks SET config =
                (SELECT config FROM scheduled_tasks WHERE task_id = 'user.b')
            WHERE task_id = 'user.a'
            """)
        let found = try store.tasks()
        #expect(found.records.map(\.id.text) == ["user.b"])
        let cause = KeyError.notAuthentic(subject: "scheduled_tasks.config of \"user.a\"")
        #expect(
            found.damages == [
                StoreError(operation: "read task", subject: "user.a", cause: .sealed(cause))
            ])
        #expect(throws: StoreError.self) { try store.task(try TaskID("user.a")) }
    }

    @Test func nextRunsAreSortedAndLeaveOutTheDisabled() throws {
        var late = try Fixture.task("user.late")
        late.nextRun = Fixture.start + .seconds(900)
        var off = try Fixture.task("user.off")
        off.enabled = false
        // Half a second must sort after the whole one.
        var half = try Fixture.task("user.half")
        half.nextRun = Fixture.start + .milliseconds(300_500)
        try store.perform([
            .createTask(late), .createTask(off), .createTask(half),
            .createTask(try Fixture.task("user.soon")),
        ])
        #expect(
            try store.nextRuns(limit: 10).map(\.task) == ["user.soon", "user.half", "user.late"])
        #expect(try store.nextRuns(limit: 1).map(\.task) == ["user.soon"])
    }
}
