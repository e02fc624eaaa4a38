// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoStore
import AicoWire
import BusClient
import Testing

@Suite(.serialized)
struct CancelTests {
    private let run: SchedulerRun

    init() throws {
        run = try SchedulerRun(try InstanceRoot())
        try run.client.subscribe()
    }

    @Test func aRunningExecutionIsAskedToEndThenCancelled() throws {
        let worker = try run.worker(.user)
        try run.createCommand(policies: ["grace": 2.5])
        let id = try #require(try run.request(.taskRun, ["task": "user.one"])["execution"])
        let order = try worker.nextRun()
        try worker.start(order)
        _ = try run.event(.executionStarted)
        let reply = try run.request(.taskCancel, ["task": "user.one"])
        #expect(reply["cancelled"] == [])
        #expect(reply["waiting"]?.array?.first?["execution"] == id)
        let until = try #require(reply["waiting"]?.array?.first?.instant("until"))
        #expect(until > Instant.now && until < Instant.now + .seconds(3))
        #expect(
            try worker.next(answeringPings: true)
                == .cancel(attempt: order.attempt, reason: .requested, grace: .milliseconds(2500)))
        try worker.finish(
            order, .none, exit: .signaled(signal: 15), cause: .cancelled(.requested))
        let finished = try run.event(.executionFinished)
        #expect(finished["outcome"] == "cancelled")
        #expect(finished["reason"] == "requested")
        #expect(try run.request(.deadLetterList)["dead_letters"] == [])
    }

    @Test func whoHadDoneItsWorkSucceeded() throws {
        let worker = try run.worker(.user)
        try run.createCommand()
        _ = try run.request(.taskRun, ["task": "user.one"])
        let order = try worker.nextRun()
        _ = try run.request(.taskCancel, ["execution": .string(order.executionID)])
        _ = try worker.next(answeringPings: true)
        try worker.finish(order, sequence: 0, cause: .cancelled(.requested))
        #expect(try run.event(.executionFinished)["outcome"] == "succeeded")
    }

    @Test func oneThatWaitsForItsRetryEndsAtOnce() throws {
        let worker = try run.worker(.user)
        try run.createCommand(policies: ["retry": ["delay": 3600]])
        let id = try #require(try run.request(.taskRun, ["task": "user.one"])["execution"])
        try worker.finish(try worker.nextRun(), sequence: 0, .none, exit: .exited(code: 75))
        _ = try run.event(.executionRetry)
        #expect(try run.request(.taskCancel, ["execution": id])["cancelled"] == [id])
        #expect(try run.event(.executionFinished)["outcome"] == "cancelled")
        let status = try run.request(.taskStatus, ["execution": id])["execution"]
        #expect(status?["state"] == "ended")
        #expect(status?["attempts"] == 1)
        #expect(try run.request(.taskRun, ["task": "user.one"])["state"] == "running")
        #expect(.string(try worker.nextRun().executionID) != id)
    }

    @Test func oneThatWaitsForAWorkerNeverStarts() throws {
        try run.createCommand()
        let reply = try run.request(.taskRun, ["task": "user.one"])
        #expect(reply["state"] == "queued")
        #expect(try run.event(.executionDeferred)["reason"] == "worker")
        let id = try #require(reply["execution"])
        #expect(try run.request(.taskCancel, ["task": "user.one"])["cancelled"] == [id])
        #expect(try run.event(.executionSkipped)["reason"] == "cancelled")
        let worker = try run.worker(.user)
        #expect(try run.request(.taskRun, ["task": "user.one"])["state"] == "running")
        let order = try worker.nextRun()
        #expect(.string(order.executionID) != id)
        // Or the stop waits for it.
        try worker.finish(order, sequence: 0)
        _ = try run.event(.executionFinished)
        _ = try run.stop()
        let rows = try run.root.occurrences()
        #expect(rows.map(\.disposition) == [.skipped, .ran])
        #expect(rows.map(\.reason) == ["cancelled", ""])
    }

    @Test func nothingToCancelIsNotFound() throws {
        try run.createCommand()
        for body: JSONValue in [["task": "user.one"], ["execution": "no such"]] {
            let error = #expect(throws: BusError.self) { try run.request(.taskCancel, body) }
            #expect(error?.code == .notFound)
        }
    }

    @Test(arguments: [true, false])
    func aSecondRequestOrNowKills(isNow: Bool) throws {
        let worker = try run.worker(.user)
        try run.createCommand(policies: ["grace": 60])
        _ = try run.request(.taskRun, ["task": "user.one"])
        let order = try worker.nextRun()
        try worker.start(order)
        _ = try run.event(.executionStarted)
        if !isNow {
            _ = try run.request(.taskCancel, ["task": "user.one"])
            #expect(
                try worker.next(answeringPings: true)
                    == .cancel(attempt: order.attempt, reason: .requested, grace: .seconds(60)))
        }
        _ = try run.request(.taskCancel, ["task": "user.one", "now": .bool(isNow)])
        #expect(
            try worker.next(answeringPings: true)
                == .cancel(attempt: order.attempt, reason: .requested, grace: .zero))
    }
}
