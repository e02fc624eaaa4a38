// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import BusClient
import Testing

@Suite(.serialized)
struct RetryTests {
    private let run: SchedulerRun
    private let worker: ScriptedWorker

    init() throws {
        run = try SchedulerRun(try InstanceRoot())
        worker = try run.worker(.user)
        try run.client.subscribe()
    }

    private func execution(_ id: JSONValue) throws -> JSONValue {
        try #require(try run.request(.taskStatus, ["execution": id])["execution"])
    }

    @Test func aTransientFailureBacksOffAndEndsAsADeadLetter() throws {
        try run.createCommand(policies: ["retry": ["count": 2, "delay": 0.05, "factor": 4]])
        let id = try #require(try run.request(.taskRun, ["task": "user.one"])["execution"])
        var orders: [AttemptOrder] = []
        for number in 1...3 {
            let order = try worker.nextRun()
            #expect(order.attemptNumber == number)
            orders.append(order)
            try worker.start(order)
            try worker.finish(order, .failed(permanent: false, message: "try \(number)"))
            guard number < 3 else { break }
            let retry = try run.event(.executionRetry)
            #expect(retry["execution"] == id)
            #expect(retry["attempt"] == .int(number))
            #expect(retry["outcome"] == "failed_transient")
            #expect(retry["reason"] == "task_error")
            #expect(retry["error"] == .string("try \(number)"))
            let attempts = try execution(id)["attempt_list"]?.array
            #expect(attempts?[number - 1]["error"] == .string("try \(number)"))
            let ended = try #require(attempts?[number - 1].instant("ended_at"))
            let again = try #require(retry.instant("retry_at"))
            #expect(again - ended == .milliseconds(number == 1 ? 50 : 200))
        }
        #expect(Set(orders.map(\.executionID)).count == 1)
        #expect(Set(orders.map(\.occurrence)).count == 1)
        #expect(Set(orders.map(\.attempt)).count == 3)
        let finished = try run.event(.executionFinished)
        #expect(finished["attempt"] == 3)
        #expect(finished["outcome"] == "failed_transient")
        #expect(
            try run.event(.executionDeadLetter) == [
                "task": "user.one", "execution": id, "attempts": 3,
                "reason": "failed_transient: task_error",
            ])
        let letters = try run.request(.deadLetterList)["dead_letters"]?.array
        #expect(letters?.count == 1)
        #expect(letters?.first?["execution"] == id)
        #expect(letters?.first?["attempts"] == 3)
        let status = try execution(id)
        #expect(status["state"] == "ended")
        #expect(status["attempts"] == 3)
        #expect(status["error"] == "try 3")
        let messages = status["attempt_list"]?.array?.map { $0["error"] }
        #expect(messages == ["try 1", "try 2", "try 3"])
    }

    @Test func aDisabledTaskTellsHowManyOfItAreStillToBeRetried() throws {
        try run.createCommand(policies: ["retry": ["delay": 3600]])
        #expect(try run.request(.taskDisable, ["task": "user.one"])["retrying"] == 0)
        _ = try run.request(.taskEnable, ["task": "user.one"])
        _ = try run.request(.taskRun, ["task": "user.one"])
        try worker.finish(try worker.nextRun(), sequence: 0, .none, exit: .exited(code: 75))
        _ = try run.event(.executionRetry)
        #expect(try run.request(.taskDisable, ["task": "user.one"])["retrying"] == 1)
        #expect(try run.request(.taskEnable, ["task": "user.one"])["retrying"] == 0)
    }

    /// A task made anew under the name is another: what failed was not of it.
    @Test func aDeadLetterOfADeletedTaskIsNotRunAsItsSuccessor() throws {
        try run.createCommand(policies: ["retry": ["count": 0]])
        _ = try run.request(.taskRun, ["task": "user.one"])
        try worker.finish(try worker.nextRun(), sequence: 0, .none, exit: .exited(code: 1))
        _ = try run.event(.executionDeadLetter)
        _ = try run.request(.taskDelete, ["task": "user.one"])
        try run.createCommand()
        let letter = try #require(
            try run.request(.deadLetterList)["dead_letters"]?.array?.first?["id"]?.int)
        #expect(
            throws: BusError.refused(
                code: BusErrorCode.conflict.rawValue, message: "its task \"user.one\" is gone",
                hint: "type: aico scheduler dlq purge \(letter)")
        ) { try run.request(.deadLetterRetry, ["id": .int(letter)]) }
        #expect(try run.request(.taskStatus, ["task": "user.one"])["task"]?["running"] == .null)
    }

    @Test func aRetryThatSucceedsLeavesNoDeadLetter() throws {
        try run.createCommand(policies: ["retry": ["delay": 0]])
        try _ = run.request(.taskRun, ["task": "user.one"])
        try worker.finish(
            try worker.nextRun(), sequence: 0, .failed(permanent: false, message: "once"))
        try worker.finish(try worker.nextRun(), sequence: 0)
        let finished = try run.event(.executionFinished)
        #expect(finished["outcome"] == "succeeded")
        #expect(finished["attempt"] == 2)
        #expect(finished["error"] == nil || finished["error"] == .null)
        #expect(try run.request(.deadLetterList)["dead_letters"] == [])
    }

    struct End: Sendable, CustomTestStringConvertible {
        let verdict: TaskReply
        var exit = ProcessExit.exited(code: 0)
        var cause: EndCause?
        let outcome: String
        let reason: String?
        let isRetried: Bool
        var testDescription: String { "\(outcome): \(reason ?? "-"), \(exit)" }
    }

    @Test(arguments: [
        End(
            verdict: .failed(permanent: true, message: "no"), outcome: "failed_permanent",
            reason: "task_error", isRetried: false),
        End(
            verdict: .none, exit: .exited(code: 75), outcome: "failed_transient",
            reason: "exit_code", isRetried: true),
        End(
            verdict: .none, exit: .exited(code: 78), outcome: "failed_permanent",
            reason: "exit_code", isRetried: false),
        End(
            verdict: .none, exit: .exited(code: 1), outcome: "failed_transient",
            reason: "exit_code", isRetried: true),
        End(
            verdict: .none, exit: .signaled(signal: 11), outcome: "killed", reason: "signal",
            isRetried: true),
        End(
            verdict: .none, exit: .signaled(signal: 9), cause: .outOfMemory, outcome: "killed",
            reason: "out_of_memory", isRetried: false),
        End(
            verdict: .none, exit: .signaled(signal: 31),
            cause: .deniedSyscall(name: "mount", number: 165, arguments: [1]),
            outcome: "killed", reason: "denied_syscall", isRetried: false),
        End(
            verdict: .none, exit: .notStarted, cause: .orderRefused(message: "unknown type"),
            outcome: "failed_permanent", reason: "order_refused", isRetried: false),
        End(
            verdict: .none, exit: .signaled(signal: 9), cause: .timedOut, outcome: "timed_out",
            reason: nil, isRetried: true),
        End(
            verdict: .succeeded(result: [0xFF]), outcome: "failed_permanent",
            reason: "protocol_violation", isRetried: false),
    ])
    func whatIsRetriedAndWhatIsNot(end: End) throws {
        try run.createCommand(policies: ["retry": ["delay": 3600]])
        let id = try #require(try run.request(.taskRun, ["task": "user.one"])["execution"])
        try worker.finish(
            try worker.nextRun(), sequence: 0, end.verdict, exit: end.exit, cause: end.cause)
        let reason: JSONValue = end.reason.map { .string($0) } ?? .null
        let event = try run.event(end.isRetried ? .executionRetry : .executionFinished)
        #expect(event["outcome"] == .string(end.outcome))
        #expect(event["reason"] == reason)
        let status = try execution(id)
        #expect(status["state"] == (end.isRetried ? "waiting" : "ended"))
        #expect(status["attempt_list"]?.array?.first?["outcome"] == .string(end.outcome))
        let letters = try run.request(.deadLetterList)["dead_letters"]?.array
        #expect(letters?.count == (end.isRetried ? 0 : 1))
        if !end.isRetried {
            let word = end.outcome + (end.reason.map { ": \($0)" } ?? "")
            #expect(letters?.first?["reason"] == .string(word))
        }
    }

    /// A worker carries what its task says is the result; that it is JSON is found out here.
    @Test(
        arguments: [
            [], Array("{".utf8), Array("1 2".utf8), [0xFF], [0x22, 0x00, 0x22],
            Array(repeating: 0x5B, count: 1000),
        ] as [[UInt8]])
    func aResultThatIsNotJSONIsTheTasksFault(result: [UInt8]) throws {
        try run.createCommand()
        let id = try #require(try run.request(.taskRun, ["task": "user.one"])["execution"])
        let order = try worker.nextRun()
        try worker.report(
            .finished(
                attempt: order.attempt, sequence: 0,
                exit: AttemptExit(
                    reply: .succeeded(result: result), exit: .exited(code: 0), cause: nil,
                    usage: .none)))
        #expect(try run.event(.executionFinished)["outcome"] == "failed_permanent")
        let status = try execution(id)
        #expect(status["reason"] == "protocol_violation")
        #expect(status["error"] == "its result is not JSON")
        #expect(status["result"] == .null)
        // Its worker told the truth of it, and goes on.
        _ = try run.request(.taskRun, ["task": "user.one"])
        try worker.finish(try worker.nextRun(), sequence: 0)
        #expect(try run.event(.executionFinished)["outcome"] == "succeeded")
    }

    @Test func deadLettersComeInPages() throws {
        try run.createCommand(policies: ["retry": ["count": 0]])
        for _ in 0..<3 {
            _ = try run.request(.taskRun, ["task": "user.one"])
            try worker.finish(try worker.nextRun(), sequence: 0, .none, exit: .exited(code: 1))
            _ = try run.event(.executionDeadLetter)
        }
        let first = try run.request(.deadLetterList, ["limit": 2])
        #expect(first["dead_letters"]?.array?.map { $0["id"] } == [3, 2])
        #expect(first["next"] == 2)
        let second = try run.request(.deadLetterList, ["limit": 2, "after": 2])
        #expect(second["dead_letters"]?.array?.map { $0["id"] } == [1])
        #expect(second["next"] == .null)
        #expect(try run.request(.deadLetterPurge) == ["purged": 3])
    }

    @Test func aDeadLetterIsSentBackAndPurged() throws {
        try run.createCommand(policies: ["retry": ["count": 0]])
        _ = try run.request(.taskRun, ["task": "user.one"])
        try worker.finish(try worker.nextRun(), sequence: 0, .none, exit: .exited(code: 1))
        _ = try run.event(.executionDeadLetter)
        let letter = try #require(
            try run.request(.deadLetterList)["dead_letters"]?.array?.first?["id"])
        let again = try run.request(.deadLetterRetry, ["id": letter])["execution"]
        let order = try worker.nextRun()
        #expect(.string(order.executionID) == again)
        #expect(order.attemptNumber == 1)
        #expect(try run.request(.deadLetterList)["dead_letters"] == [])
        // What is in no list any more is neither sent back nor purged, and the refusal says why.
        let number = try #require(letter.int)
        for topic in [BusTopic.deadLetterRetry, .deadLetterPurge] {
            #expect(
                throws: BusError.refused(
                    code: BusErrorCode.notFound.rawValue,
                    message: "dead letter \(number) was sent back already, as execution "
                        + order.executionID,
                    hint: "where that fails again, another dead letter comes; "
                        + "type: aico scheduler dlq list")
            ) { try run.request(topic, ["id": letter]) }
        }
        try worker.finish(order, sequence: 0, .none, exit: .exited(code: 1))
        _ = try run.event(.executionDeadLetter)
        let status = try execution(try #require(again))
        #expect(status["trigger"] == "dead_letter")
        #expect(try run.request(.deadLetterPurge) == ["purged": 1])
        #expect(try run.request(.deadLetterList)["dead_letters"] == [])
    }
}
