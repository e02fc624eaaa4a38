// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoKeys
import AicoStore
import Glibc
import Testing

@Suite struct StoreWriterTests {
    let scratch: Scratch

    init() throws {
        scratch = try Scratch()
        let store = try scratch.store()
        try store.perform([.createTask(try Fixture.task())])
        try store.close()
    }

    private func writer(busyTimeout: Double = 5) throws -> StoreWriter {
        try StoreWriter(
            store: TaskStore(
                path: scratch.database, keys: Fixture.keys, busyTimeout: busyTimeout))
    }

    private var large: StoredTask {
        get throws {
            var task = try Fixture.task("user.large")
            task.config = [UInt8](repeating: 0x20, count: StoredTask.maximumConfigBytes + 1)
            return task
        }
    }

    @Test func resultsComeInOrderEachWithItsToken() throws {
        let writer = try writer()
        for second in Int64(0)..<300 {
            writer.submit(
                [try Fixture.claim(at: second, execution: "e\(second)"), .purgeDeadLetters],
                token: UInt64(second))
        }
        let results = try writer.results(300)
        #expect(results.map(\.token) == Array(0..<300))
        for (index, result) in results.enumerated() {
            let key = AttemptKey(UInt64(index) + 1)
            #expect(
                try result.result.get() == [
                    .outcome(.claimed(attempt: key, number: 1)), .outcome(.done),
                ])
        }
        #expect(writer.take().isEmpty)
        writer.close()
        #expect(try scratch.store().count("task_executions") == 300)
    }

    @Test func whatWasSubmittedIsWrittenBeforeItCloses() throws {
        let writer = try writer()
        for second in Int64(0)..<50 {
            writer.submit([try Fixture.claim(at: second, execution: "e\(second)")], token: 1)
        }
        writer.close()
        writer.close()
        writer.submit([.purgeDeadLetters], token: 9)
        let results = writer.take()
        #expect(results.count == 51)
        #expect(results.prefix(50).allSatisfy { $0.result.failure == nil })
        #expect(results.last?.token == 9)
        #expect(results.last?.result.failure?.kind == .closed)
        #expect(try scratch.store().count("task_executions") == 50)
    }

    @Test func onlyTheChangeThatCanNeverBeWrittenIsRefused() throws {
        let writer = try writer()
        // Two batches that are likely merged, the fault in the first.
        writer.submit(
            [
                try Fixture.claim(), .createTask(try large), try Fixture.claim(),
                .createTask(try Fixture.task("user.small")),
            ], token: 1)
        writer.submit([.purgeDeadLetters], token: 2)
        let results = try writer.results(2)
        let first = try results[0].result.get()
        #expect(first[0] == .outcome(.claimed(attempt: AttemptKey(1), number: 1)))
        #expect(
            first[1]
                == .refused("cannot store task \"user.large\": 65537 bytes, of 65536 permitted"))
        #expect(first[2] == .outcome(.alreadyClaimed))
        #expect(first[3] == .outcome(.done))
        #expect(try results[1].result.get() == [.outcome(.done)])
        writer.close()
        #expect(
            try scratch.store().tasks().records.map(\.id.text) == ["user.backup", "user.small"])
    }

    /// The second statement of the change fails: the first one must not stay.
    @Test func aRefusedChangeLeavesNothingBehind() throws {
        let store = try scratch.store()
        let outcomes = try store.perform([try Fixture.claim()])
        guard case .claimed(let attempt, _)? = outcomes.first else { return }
        try store.execute(
            """
            CREATE TRIGGER refuse BEFORE UPDATE OF result ON task_executions
            BEGIN SELECT RAISE(ABORT, 'refused by the test'); END
            """)
        let writer = try StoreWriter(store: store)
        let results = try writer.written([Fixture.success(attempt), .purgeDeadLetters]).get()
        guard case .refused(let reason) = results[0] else {
            Issue.record("not refused: \(results)")
            return
        }
        #expect(reason.contains("refused by the test"))
        #expect(results[1] == .outcome(.done))
        writer.close()
        #expect(try scratch.store().runningAttempts().records.map(\.executionID) == ["e1"])
    }

    @Test func aHeldDatabaseIsAFailureInTimeAndHoldsUpNobodyTwice() throws {
        let holder = try scratch.store()
        let writer = try writer(busyTimeout: 0.2)
        let started = ContinuousClock.now
        try holder.inTransaction {
            for token in UInt64(0)..<40 {
                writer.submit([.purgeDeadLetters], token: token)
            }
            let results = try writer.results(40)
            #expect(results.allSatisfy { $0.result.failure?.kind == .busy })
            #expect(ContinuousClock.now - started < .seconds(5))
        }
        #expect(try writer.written([try Fixture.claim()]).failure == nil)
    }

    @Test func everyFailureSaysWhatToDo() {
        for kind in StoreFailure.allCases {
            #expect(!kind.words.isEmpty)
            #expect(!kind.words.hasSuffix("."))
        }
    }

    /// A limit on file sizes gives EFBIG, which SQLite tells as an I/O error.
    @Test func anIOErrorIsAFailureAndNothingOfTheBatchIsThere() async throws {
        let path = scratch.database
        await #expect(processExitsWith: .success) { [path = path as String] in
            signal(SIGXFSZ, SIG_IGN)
            let store = try TaskStore(path: path, keys: Fixture.keys)
            let writer = try StoreWriter(store: store)
            var limit = rlimit(rlim_cur: 400_000, rlim_max: 400_000)
            setrlimit(__rlimit_resource_t(1), &limit)
            var told: StoreTrouble?
            var written = 0
            while told == nil {
                let result = try writer.written([
                    try Fixture.claim(at: Int64(written), execution: "e\(written)"),
                    Fixture.line(
                        AttemptKey(1), 0, String(repeating: "x", count: 9000),
                        execution: "e\(written)"),
                ])
                told = result.failure
                if told == nil { written += 1 }
            }
            #expect(told?.kind == .io)
            #expect(told?.message.contains("limit of file sizes") == true)
            // The reader of another connection sees what was told, no more and no less.
            let other = try StoreReader(path: path, keys: Fixture.keys)
            let last = written
            let answer = try other.answer { store throws(StoreError) in
                let history = try store.history(limit: 1)
                return Array("\(history.first?.id ?? "none")".utf8)
            }
            #expect(try answer.get() == Array("e\(last - 1)".utf8))
        }
    }
}
