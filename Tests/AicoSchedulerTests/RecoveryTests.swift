// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoStore
import AicoWire
import BusClient
import Testing

/// What a scheduler finds that another one left behind.
@Suite(.serialized)
struct RecoveryTests {
    private let root: InstanceRoot

    init() throws { root = try InstanceRoot() }

    /// Runs a task under a first scheduler up to its first order, then goes on with `body`.
    private func first(
        _ policies: JSONValue, _ body: (SchedulerRun, ScriptedWorker, AttemptOrder) throws -> Void
    ) throws -> AttemptOrder {
        let run = try SchedulerRun(root)
        let worker = try run.worker(.user)
        try run.createCommand(policies: policies)
        try run.client.subscribe()
        _ = try run.request(.taskRun, ["task": "user.one"])
        let order = try worker.nextRun()
        try body(run, worker, order)
        return order
    }

    private func status(_ run: SchedulerRun, _ order: AttemptOrder) throws -> JSONValue {
        try #require(
            try run.request(.taskStatus, ["execution": .string(order.executionID)])["execution"])
    }

    @Test func whatRanIsInterruptedAndNotRunAgain() throws {
        let order = try first([:]) { run, worker, order in
            try worker.start(order)
            _ = try run.event(.executionStarted)
            try run.abandon()
        }
        let run = try SchedulerRun(root)
        let worker = try run.worker(.user)
        // A worker may be ready before what the start found is written.
        var status = try status(run, order)
        let deadline = ContinuousClock.now + .seconds(10)
        while status["state"] != "ended", ContinuousClock.now < deadline {
            status = try self.status(run, order)
        }
        #expect(status["state"] == "ended")
        #expect(status["outcome"] == "interrupted")
        #expect(status["reason"] == "scheduler_died")
        #expect(status["attempt_list"]?.array?.map { $0["outcome"] } == ["interrupted"])
        let letters = try run.request(.deadLetterList)["dead_letters"]?.array
        #expect(letters?.map { $0["reason"] } == ["interrupted: scheduler_died"])
        // The place is free: the next one is the next order.
        let next = try run.request(.taskRun, ["task": "user.one"])
        #expect(.string(try worker.nextRun().executionID) == next["execution"])
    }

    @Test func whatMayRunTwiceIsRunAgain() throws {
        let order = try first(["on_crash": "rerun"]) { run, worker, order in
            try run.abandon()
        }
        let run = try SchedulerRun(root)
        let again = try run.worker(.user).nextRun()
        #expect(again.executionID == order.executionID)
        #expect(again.occurrence == order.occurrence)
        #expect(again.attemptNumber == 2)
        let status = try status(run, order)
        #expect(status["state"] == "running")
        #expect(status["attempts"] == 2)
        #expect(status["attempt_list"]?.array?.first?["outcome"] == "interrupted")
    }

    @Test func aRetryThatWaitedComesAllTheSame() throws {
        let order = try first(["retry": ["delay": 0.2]]) { run, worker, order in
            try worker.finish(order, sequence: 0, .none, exit: .exited(code: 75))
            _ = try run.event(.executionRetry)
            try run.abandon()
        }
        let run = try SchedulerRun(root)
        let again = try run.worker(.user).nextRun()
        #expect(again.executionID == order.executionID)
        #expect(again.attemptNumber == 2)
        #expect(try run.request(.deadLetterList)["dead_letters"] == [])
    }

    @Test func anInstantThatWaitedIsRunOnce() throws {
        let instant = Instant.soon
        do {
            let run = try SchedulerRun(root)
            try run.client.subscribe()
            try run.createCommand(schedule: "at:\(instant)")
            #expect(try run.event(.executionDeferred)["reason"] == "worker")
            try run.abandon()
        }
        let run = try SchedulerRun(root)
        let worker = try run.worker(.user)
        try run.client.subscribe()
        let order = try worker.nextRun()
        #expect(order.occurrence == instant)
        try worker.finish(order, sequence: 0)
        _ = try run.event(.executionFinished)
        #expect(try run.stop() == 0)
        #expect(try root.occurrences().map(\.disposition) == [.ran])
    }

    @Test func whatWaitedForADisabledTaskIsSkipped() throws {
        let instant = Instant(seconds: Instant.now.seconds - 30)
        try root.put("at:\(instant)", created: instant, nextRun: nil)
        let store = try root.store()
        var task = try #require(try store.task(TaskID("user.one")))
        task.enabled = false
        try store.perform([
            .updateTask(task),
            .occurrence(task.key, plannedAt: instant, .deferred, reason: "cpu", at: instant),
        ])
        try store.close()
        let run = try SchedulerRun(root)
        #expect(try run.stop() == 0)
        let rows = try root.occurrences()
        #expect(rows.map(\.disposition) == [.skipped])
        #expect(rows.map(\.reason) == ["task_gone"])
    }

    @Test(arguments: [false, true])
    func aStopEndsWhatRunsAndItIsRunAgainByPolicy(isRerun: Bool) throws {
        let order = try first(["on_crash": isRerun ? "rerun" : "fail"]) { run, worker, order in
            run.send(.shutdown)
            let order2 = try worker.next(answeringPings: true)
            #expect(
                order2 == .cancel(attempt: order.attempt, reason: .shutdown, grace: .seconds(4)))
            try worker.finish(
                order, sequence: 0, .none, exit: .signaled(signal: 15),
                cause: .cancelled(.shutdown))
            #expect(try run.wait() == 0)
        }
        let run = try SchedulerRun(root)
        let worker = try run.worker(.user)
        if isRerun {
            #expect(try worker.nextRun().executionID == order.executionID)
        } else {
            let status = try status(run, order)
            #expect(status["outcome"] == "interrupted")
            #expect(status["reason"] == "shutdown")
        }
    }

    @Test func whileStoppingNothingStarts() throws {
        _ = try first([:]) { run, worker, order in
            run.send(.shutdown)
            _ = try worker.next(answeringPings: true)
            try run.createCommand("user.two")
            let error = #expect(throws: BusError.self) {
                try run.request(.taskRun, ["task": "user.two"])
            }
            #expect(error?.code == .unavailable)
            try worker.finish(
                order, sequence: 0, .none, exit: .signaled(signal: 15),
                cause: .cancelled(.shutdown))
            #expect(try run.wait() == 0)
        }
    }
}
