// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoKeys
import AicoStore
import Testing

@Suite struct AuditTests {
    let scratch: Scratch
    let store: TaskStore

    init() throws {
        scratch = try Scratch()
        store = try scratch.store()
        try store.perform(
            (1...5).map { number in
                .audit(
                    AuditEntry(
                        at: Fixture.start, actor: "admin", action: "task.run",
                        subject: "user.t\(number)"))
            })
    }

    @Test func entriesReadBackNewestFirstAndVerify() throws {
        #expect(try store.audit(limit: 2).map(\.subject) == ["user.t5", "user.t4"])
        #expect(try store.verifyAudit() == .intact(entries: 5))
    }

    @Test(arguments: [
        ("UPDATE audit_log SET subject = 'x' WHERE id = 2", 2),
        ("DELETE FROM audit_log WHERE id = 3", 4),
        ("DELETE FROM audit_log WHERE id = 1", 2),
        ("UPDATE audit_log SET actor = 'admint', action = 'ask.run' WHERE id = 4", 4),
        (
            "INSERT INTO audit_log SELECT 9, at, actor, action, subject, detail, link, link "
                + "FROM audit_log WHERE id = 5", 9
        ),
    ])
    func aChangeIsFoundWhereItWasMade(sql: String, id: Int64) throws {
        try store.execute(sql)
        #expect(try store.verifyAudit() == .broken(at: id))
    }

}
