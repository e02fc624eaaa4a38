// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Testing

@testable import AicoStore

/// Rows that hold what no row of theirs does: each list gives the others.
@Suite struct UnreadableRowTests {
    let scratch: Scratch
    let store: TaskStore

    /// Ten executions e0 to e9, each with a dead letter, an attempt and a line.
    init() throws {
        scratch = try Scratch()
        store = try scratch.store()
        try store.perform([.createTask(try Fixture.task())])
        for second in Int64(0)..<10 {
            let claimed = try store.perform([
                try Fixture.claim(at: second, execution: "e\(second)")
            ])
            guard case .claimed(let attempt, _)? = claimed.first else { continue }
            try store.perform([
                Fixture.line(attempt, 1, "one", execution: "e\(second)"),
                Fixture.success(attempt),
                .deadLetter(execution: "e\(second)", at: Fixture.start, reason: "timed_out"),
            ])
        }
    }

    @Test func aListGivesWhatCanBeRead() throws {
        try store.execute("UPDATE task_executions SET state = 'gone' WHERE execution_id = 'e4'")
        #expect(try store.history(limit: 3).map(\.id) == ["e9", "e8", "e7"])
        #expect(
            try store.history(limit: 100).map(\.id)
                == ["e9", "e8", "e7", "e6", "e5", "e3", "e2", "e1", "e0"])
        try store.execute("UPDATE task_attempts SET number = 'no' WHERE execution_id = 'e1'")
        #expect(try store.attempts(execution: "e1").isEmpty)
        try store.execute("UPDATE dead_letters SET at = x'00' WHERE id = 3")
        #expect(
            try store.deadLetters(before: nil, limit: 100).map(\.id) == [
                10, 9, 8, 7, 6, 5, 4, 2, 1,
            ])
        try store.execute("UPDATE execution_logs SET stream = 'out' WHERE id = 3")
        #expect(try store.logs(execution: "e2", limit: 10).isEmpty)
        #expect(try store.logs(execution: "e3", limit: 10).count == 1)
    }

    @Test func whatIsLeftOutIsNamed() throws {
        try store.execute("UPDATE task_executions SET state = 'gone' WHERE execution_id = 'e4'")
        #expect(
            try store.history(limit: 100).unreadable.map(\.error.description)
                == ["cannot read execution \"e4\": its state is malformed"])
        try store.execute("UPDATE task_attempts SET number = 'no' WHERE execution_id = 'e1'")
        let attempts = try store.attempts(execution: "e1")
        #expect(
            attempts.unreadable.map(\.error.description)
                == ["cannot read attempt \"2\": its number is malformed"])
        try store.execute("UPDATE execution_logs SET stream = 'out' WHERE id = 3")
        let lines = try store.logs(execution: "e2", limit: 10, fromEnd: true)
        #expect(lines.unreadable.map(\.row) == [3] && lines.last == 3 && lines.next == nil)
        #expect(
            lines.unreadable.first?.error.description
                == "cannot read log line \"3\": its stream is malformed")
        try store.execute("UPDATE occurrences SET reason = x'ff' WHERE execution_id = 'e1'")
        let instants = try store.occurrences(task: "user.backup", limit: 100)
        #expect(instants.records.count == 9 && instants.damages.count == 1)
        try store.perform([
            .audit(AuditEntry(at: Fixture.start, actor: "a", action: "b", subject: "c"))
        ])
        try store.execute("UPDATE audit_log SET at = 'now'")
        let audit = try store.audit(limit: 10)
        #expect(audit.isEmpty)
        #expect(
            audit.unreadable.map(\.error.description)
                == ["cannot read audit entry \"1\": its at is malformed"])
    }

    /// A row whose id or time cannot be read is a place to go on from as any other.
    @Test(arguments: [
        "state = 'gone'", "started_at = x'00'", "started_at = ''", "execution_id = x'ff'",
        "execution_id = cast(x'ff' AS TEXT)", "execution_id = cast(x'653100' AS TEXT)",
        "execution_id = 'E-4'", "started_at = x'00', execution_id = x'00'",
    ])
    func pagesGoOnBehindEachRow(change: String) throws {
        try store.execute("PRAGMA foreign_keys = OFF", outsideTransaction: true)
        try store.execute(
            "UPDATE task_executions SET \(change) WHERE execution_id = 'e4'",
            outsideTransaction: true)
        let whole = try store.history(limit: 100)
        #expect(whole.records.count + whole.unreadable.count == 10)
        #expect(whole.records.count >= 9)
        for limit in 1...10 {
            var (ids, lost, cursor): ([String], Int, String?) = ([], 0, nil)
            for _ in 0..<20 {
                let page = try store.history(before: cursor, limit: limit)
                ids += page.map(\.id)
                lost += page.unreadable.count
                cursor = try store.cursor(of: page)
                if cursor == nil { break }
            }
            #expect(cursor == nil)
            #expect(ids == whole.map(\.id), "\(limit)")
            #expect(lost == whole.unreadable.count)
        }
    }

    /// However many rows are damaged, a page reads a bounded number of them and says where to go on.
    @Test func aPageOfDamagedRowsIsBounded() throws {
        try store.execute(
            """
            WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 2499)
            INSERT INTO task_executions (task_id, execution_id, started_at, state)
            SELECT 'user.backup', 'x' || i, '2031-01-15T10:00:00.000000Z', 'gone' FROM n
            """)
        var (rows, cursor): ([Int], String?) = ([], nil)
        var ids: [String] = []
        repeat {
            let page = try store.history(before: cursor, limit: 3)
            rows.append(page.unreadable.count)
            ids += page.map(\.id)
            cursor = try store.cursor(of: page)
        } while cursor != nil && rows.count < 20
        #expect(rows == [1000, 1000, 500, 0, 0, 0])
        #expect(ids == (0..<10).reversed().map { "e\($0)" })
        try store.execute("UPDATE dead_letters SET attempts = 'many' WHERE id > 1")
        try store.execute("UPDATE execution_logs SET at = 'now'")
        #expect(try store.deadLetters(before: nil, limit: 1).map(\.id) == [1])
        #expect(try store.logs(execution: "e1", limit: 1).unreadable.count == 1)
        #expect(throws: StoreError.self) { try store.deadLetters(limit: 100) }
    }

    @Test func oneThatCannotBeReadIsNotMissing() throws {
        try store.execute("UPDATE task_executions SET state = 'gone' WHERE execution_id = 'e4'")
        try store.execute("UPDATE dead_letters SET at = 'now' WHERE id = 3")
        let execution = #expect(throws: StoreError.self) { try store.execution("e4") }
        #expect(execution?.cause == .malformedRow("state"))
        let letter = #expect(throws: StoreError.self) { try store.deadLetter(id: 3) }
        #expect(letter?.description == "cannot read dead letter \"3\": its at is malformed")
        #expect(try store.execution("e44") == nil)
        #expect(try store.deadLetter(id: 11) == nil)
    }
}
