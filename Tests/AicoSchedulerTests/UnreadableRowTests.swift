// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoStore
import AicoWire
import BusClient
import GRDB
import Testing

/// Rows of the store that hold what no row of theirs does: lists leave them out and say so.
@Suite(.serialized)
struct UnreadableRowTests {
    private let root: InstanceRoot
    private let run: SchedulerRun
    private static let start = Instant(seconds: 1_736_935_200)

    /// A task with six executions, each with a dead letter, three attempts' rows and four lines.
    init() throws {
        root = try InstanceRoot()
        try root.put("@daily", created: Self.start, nextRun: nil)
        let store = try root.store()
        for number in 0..<6 {
            try Self.fill(store, number)
        }
        try store.close()
        run = try SchedulerRun(root)
    }

    private static func fill(_ store: TaskStore, _ number: Int) throws {
        let at = start + .seconds(Int64(number))
        let outcomes = try store.perform([
            .claim(
                Claim(
                    task: try InstanceRoot.task(), plannedAt: at, executionID: id(number),
                    trigger: .schedule, at: at, nextRun: .keep))
        ])
        guard case .claimed(let attempt, _)? = outcomes.first else { return }
        let failure = Outcome(.failedPermanent)
        try store.perform(
            (0..<4).map { line in
                .log(
                    LogEntry(
                        executionID: id(number), attempt: attempt, sequence: UInt32(line),
                        stream: .standardOutput, at: at, line: "line \(line)"))
            })
        try store.perform([
            .endAttempt(
                AttemptEnd(
                    attempt: attempt, at: at, outcome: failure,
                    next: .ended(ExecutionEnd(outcome: failure)))),
            .deadLetter(execution: id(number), at: at, reason: "failed_permanent"),
        ])
    }

    private static func id(_ number: Int) -> String {
        "0000000\(number)-0000-4000-8000-000000000000"
    }

    private func damage(_ change: String) throws {
        var configuration = GRDB.Configuration()
        configuration.foreignKeysEnabled = false
        configuration.busyMode = .timeout(10)
        let database = try DatabaseQueue(
            path: "\(root.path)/var/lib/aico/store/aico.db", configuration: configuration)
        try database.write { try $0.execute(sql: "UPDATE \(change)") }
        try database.close()
    }

    /// All pages of a list, as a client that goes by `next` reads them.
    private func pages(
        of member: String, _ topic: BusTopic, limit: Int, _ body: [String: JSONValue] = [:]
    ) throws -> (elements: [JSONValue], leftOut: Int) {
        var body = body
        body["limit"] = .int(limit)
        var found: (elements: [JSONValue], leftOut: Int) = ([], 0)
        for _ in 0..<20 {
            let page = try run.request(topic, .object(body))
            found.elements += page[member]?.array ?? []
            found.leftOut += try #require(page["left_out"]?.int)
            let next = page["next"]
            guard let next, next != .null, page["more"] != false else { return found }
            #expect(next != body["after"])
            body["after"] = next
        }
        Issue.record("the pages do not end")
        return found
    }

    private func check() throws -> JSONValue? {
        try run.request(.health)["checks"]?.array?.first { $0["name"] == "store.rows" }
    }

    @Test(arguments: [
        "trigger_kind = 'nobody'", "started_at = x'ff'", "started_at = 'yesterday'",
        "state = x'00', execution_id = x'ff00'", "task_uid = x'ff', execution_id = 'A\u{e9}'",
    ])
    func historyLeavesARowOutAndGoesOn(change: String) throws {
        try damage("task_executions SET \(change) WHERE execution_id = '\(Self.id(3))'")
        for limit in 1...6 {
            let found = try pages(of: "executions", .taskHistory, limit: limit)
            #expect(
                found.elements.compactMap { $0["execution"]?.string }.sorted()
                    == [0, 1, 2, 4, 5].map(Self.id), "\(limit)")
            #expect(found.leftOut == 1)
        }
        let own = try pages(of: "executions", .taskHistory, limit: 2, ["task": "user.one"])
        #expect(own.elements.count == 5 || change.contains("task_uid"))
        let status = try run.request(.taskStatus, ["task": "user.one"])
        #expect(status["executions"]?.array?.count == 5)
        #expect(status["left_out"] == (change.contains("task_uid") ? 0 : 1))
    }

    @Test func deadLettersAndLinesAreLeftOutAndCounted() throws {
        try damage("dead_letters SET attempts = 'many' WHERE execution_id > '\(Self.id(3))'")
        let letters = try pages(of: "dead_letters", .deadLetterList, limit: 1)
        #expect(
            letters.elements.map { $0["execution"] } == [3, 2, 1, 0].map { .string(Self.id($0)) })
        #expect(letters.leftOut == 2)
        try damage("execution_logs SET at = 'now' WHERE seq IN (0, 3)")
        let execution: [String: JSONValue] = ["execution": .string(Self.id(2))]
        for limit in 1...4 {
            let lines = try pages(of: "lines", .taskLogs, limit: limit, execution)
            #expect(lines.elements.map { $0["line"] } == ["line 1", "line 2"], "\(limit)")
            #expect(lines.leftOut == 2)
        }
        let tail = try run.request(
            .taskLogs, ["execution": .string(Self.id(2)), "tail": 1])
        #expect(tail["lines"]?.array?.map { $0["line"] } == ["line 2"])
        #expect(tail["left_out"] == 1)
    }

    /// The output of the latest that can be read is not given out as that of the latest.
    @Test func outputOfATaskSaysThatALaterExecutionIsLeftOut() throws {
        try damage("task_executions SET state = 'gone' WHERE execution_id = '\(Self.id(5))'")
        let logs = try run.request(.taskLogs, ["task": "user.one"])
        #expect(logs["execution"]?["execution"] == .string(Self.id(4)))
        #expect(logs["lines"]?.array?.count == 4)
        #expect(logs["left_out"] == 1)
    }

    @Test func oneThatIsNamedAndCannotBeReadIsNotMissing() throws {
        try damage("task_executions SET state = 'gone' WHERE execution_id = '\(Self.id(3))'")
        for topic in [BusTopic.taskStatus, .taskLogs] {
            for name in [Self.id(3), "00000003"] {
                let error = #expect(throws: BusError.self) {
                    try run.request(topic, ["execution": .string(name)])
                }
                #expect(error?.code == .internal)
                #expect(
                    error?.description.contains(
                        "cannot read execution \"\(Self.id(3))\": its state is malformed") == true)
                #expect(error?.hint.contains("backup") == true)
            }
        }
        // A place to go on from need not be readable.
        let rest = try run.request(.taskHistory, ["after": .string(Self.id(3))])
        #expect(rest["executions"]?.array?.count == 3)
        try damage("task_attempts SET number = 'first' WHERE execution_id = '\(Self.id(1))'")
        let status = try run.request(.taskStatus, ["execution": .string(Self.id(1))])
        #expect(status["execution"]?["attempt_list"] == [])
        #expect(status["left_out"] == 1)
    }

    @Test func aDeadLetterThatCannotBeReadCanBePurged() throws {
        try damage("dead_letters SET at = 7 WHERE execution_id = '\(Self.id(3))'")
        let error = #expect(throws: BusError.self) {
            try run.request(.deadLetterRetry, ["id": 4])
        }
        #expect(error?.code == .internal)
        #expect(
            error?.description.contains("cannot read dead letter \"4\": its at is malformed")
                == true)
        #expect(error?.hint == "forget it with \"aico scheduler dlq purge 4\"")
        #expect(try run.request(.deadLetterPurge, ["id": 4])["purged"] == 1)
        let letters = try pages(of: "dead_letters", .deadLetterList, limit: 10)
        #expect(letters.elements.count == 5 && letters.leftOut == 0)
    }

    @Test func healthNamesWhatWasLeftOut() throws {
        #expect(try check() == nil)
        try damage("task_executions SET state = 'gone' WHERE execution_id = '\(Self.id(3))'")
        try run.client.subscribe()
        for _ in 0..<3 { _ = try run.request(.taskHistory) }
        #expect(try run.event(.health)["status"] == "degraded")
        let told = try #require(try check())
        #expect(told["status"] == "degraded")
        let message = try #require(told["message"]?.string)
        #expect(message.hasPrefix("1 row "))
        #expect(message.contains("cannot read execution \"\(Self.id(3))\": its state is malformed"))
        try damage("dead_letters SET attempts = 'many'")
        _ = try run.request(.deadLetterList)
        #expect(try check()?["message"]?.string?.hasPrefix("7 rows ") == true)
    }
}
