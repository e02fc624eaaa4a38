// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoKeys
import GRDB
import Testing

@testable import AicoStore

@Suite struct StoreReaderTests {
    let scratch: Scratch
    let store: TaskStore

    init() throws {
        scratch = try Scratch()
        store = try scratch.store()
        try store.perform([.createTask(try Fixture.task()), try Fixture.claim()])
    }

    private func reader(connections: Int = 2) throws -> StoreReader {
        try StoreReader(path: scratch.database, keys: Fixture.keys, connections: connections)
    }

    /// Reads for ever, as far as a test is concerned.
    private static let endless: StoreReader.Query = { store throws(StoreError) in
        try store.read("count for ever") { db in
            _ = try Int.fetchOne(
                db,
                sql: """
                    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
                    SELECT MAX(i) FROM n
                    """)
        }
        return []
    }

    private static let ids: StoreReader.Query = { store throws(StoreError) in
        Array(try store.history(limit: 9).map(\.id).joined(separator: " ").utf8)
    }

    @Test func itSeesWhatIsCommitted() throws {
        let reader = try reader()
        #expect(try reader.answer(Self.ids).get() == Array("e1".utf8))
        try store.perform([try Fixture.claim(at: 1, execution: "e2")])
        #expect(try reader.answer(Self.ids).get() == Array("e2 e1".utf8))
    }

    @Test func itCannotWrite() throws {
        let answer = try reader().answer { store throws(StoreError) in
            try store.read("delete") { try $0.execute(sql: "DELETE FROM task_executions") }
            return []
        }
        #expect(answer.failure?.kind == .readOnly)
        #expect(try store.count("task_executions") == 1)
    }

    @Test func aSlowQuestionIsInterruptedAndTheNextIsAnswered() throws {
        let reader = try reader(connections: 1)
        let answer = try reader.answer(limit: .milliseconds(50), Self.endless)
        #expect(answer.failure?.kind == .busy)
        #expect(answer.failure?.message.contains("took too long") == true)
        #expect(try reader.answer(Self.ids).failure == nil)
    }

    @Test func aSlowQuestionDoesNotHoldUpTheNext() throws {
        let reader = try reader()
        reader.submit(token: 1, limit: .seconds(3600), Self.endless)
        reader.submit(token: 2, Self.ids)
        #expect(try reader.answers(1).map(\.token) == [2])
        reader.close()
        let last = reader.take()
        #expect(last.map(\.token) == [1])
        #expect(last.first?.result.failure?.kind == .closed)
    }

    @Test func aHeldWriteLockDoesNotHoldUpReaders() throws {
        let reader = try reader()
        try store.inTransaction {
            let answer = try reader.answer(Self.ids)
            #expect(answer.failure == nil)
        }
    }

    @Test func anExclusivelyLockedDatabaseIsAFailureInTime() throws {
        try store.close()
        let holder = try DatabaseQueue(path: scratch.database)
        try holder.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA locking_mode = EXCLUSIVE")
            try db.execute(sql: "UPDATE task_executions SET retry_count = 0")
        }
        #expect(try reader().answer(Self.ids).failure?.kind == .busy)
    }

    @Test func whatIsAskedAfterTheEndFailsAsClosed() throws {
        let reader = try reader()
        reader.close()
        reader.close()
        #expect(try reader.answer(Self.ids).failure?.kind == .closed)
    }

    @Test func aMissingDatabaseIsAFailureUntilItIsThere() throws {
        let other = try Scratch()
        let reader = try StoreReader(path: other.database, keys: Fixture.keys)
        #expect(try reader.answer(Self.ids).failure?.kind == .cannotOpen)
        _ = try other.store()
        #expect(try reader.answer(Self.ids).failure == nil)
    }

    @Test func itLooksForDamage() throws {
        let answer = try reader().answer { store throws(StoreError) in
            Array(try store.damage().joined().utf8)
        }
        #expect(try answer.get().isEmpty)
    }
}
