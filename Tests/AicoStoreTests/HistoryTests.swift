// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoStore
import Testing

/// Pages of history, and what short ids stand for.
@Suite struct HistoryTests {
    let scratch: Scratch
    let store: TaskStore

    init() throws {
        scratch = try Scratch()
        store = try scratch.store()
        try store.perform([
            .createTask(try Fixture.task()), .createTask(try Fixture.task("user.other")),
        ])
        for number in Int64(0)..<25 {
            // Five at a time start in the same instant.
            let task = number % 2 == 0 ? "user.backup" : "user.other"
            let at = Fixture.start + .seconds(number / 5)
            try store.perform([
                .claim(
                    Claim(
                        task: try Fixture.key(task), plannedAt: Fixture.start + .seconds(number),
                        executionID: Self.id(number), trigger: .manual, at: at, nextRun: .keep))
            ])
        }
    }

    private static func id(_ number: Int64) -> String {
        "\(number % 2 == 0 ? "a" : "b")\(number)-0000"
    }

    private func pages(_ page: (String?) throws -> StorePage<StoredExecution>) throws -> [String] {
        var found: [String] = []
        while true {
            let next = try page(found.last).map(\.id)
            if next.isEmpty { return found }
            found += next
        }
    }

    @Test func pagesGiveEachExecutionOnceNewestFirst() throws {
        let all = try pages { try store.history(before: $0, limit: 4) }
        #expect(all == (Int64(0)..<25).reversed().map(Self.id))
        let own = try pages { try store.history(task: "user.other", before: $0, limit: 3) }
        #expect(own == (Int64(0)..<25).reversed().filter { $0 % 2 == 1 }.map(Self.id))
        let uid = try Fixture.key("user.other").uid
        #expect(try pages { try store.history(uid: uid, before: $0, limit: 5) } == own)
        let since = Fixture.start + .seconds(3)
        let late = try pages { try store.history(since: since, before: $0, limit: 2) }
        #expect(late == (Int64(15)..<25).reversed().map(Self.id))
    }

    @Test func anUnknownPlaceToGoOnFromIsRefused() throws {
        let error = #expect(throws: StoreError.self) {
            try store.history(before: "none", limit: 4)
        }
        #expect(error?.cause == .unknownCursor)
        #expect(
            error?.description == "cannot go on after execution \"none\": there is no such "
                + "execution; begin again without a place to go on from")
    }

    @Test func shortIDsAreFoundInEitherCaseAndTwoAreOneTooMany() throws {
        #expect(try store.executionIDs(matchingPrefix: "b7") == [Self.id(7)])
        #expect(try store.executionIDs(matchingPrefix: "B7-0") == [Self.id(7)])
        #expect(try store.executionIDs(matchingPrefix: Self.id(24)) == [Self.id(24)])
        #expect(try store.executionIDs(matchingPrefix: "a1").count == 2)
        for none in ["", "c", "b7x", "%", "b_"] {
            #expect(try store.executionIDs(matchingPrefix: none).isEmpty)
        }
        let plan = try store.plan(
            """
            SELECT execution_id FROM task_executions
            WHERE execution_id >= 'a' AND execution_id < 'b' ORDER BY execution_id LIMIT 2
            """)
        #expect(plan.contains("USING COVERING INDEX"))
    }
}
