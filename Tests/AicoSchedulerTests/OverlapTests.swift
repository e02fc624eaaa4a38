// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoStore
import AicoWire
import BusClient
import Testing

/// Instants that come while an execution of their task is open: a task that is due each second.
@Suite(.serialized)
struct OverlapTests {
    private let run: SchedulerRun
    private let worker: ScriptedWorker

    init() throws {
        run = try SchedulerRun(try InstanceRoot())
        worker = try run.worker(.user)
        try run.client.subscribe()
    }

    private func create(_ overlap: OverlapPolicy) throws {
        try run.createCommand(
            schedule: "* * * * * *", policies: ["overlap": .string(overlap.rawValue)])
    }

    /// Stops while one attempt runs.
    private func stop(_ order: AttemptOrder) throws {
        run.send(.shutdown)
        while case .run? = try worker.next(answeringPings: true) {}
        try worker.finish(order, sequence: 0, .none, cause: .cancelled(.shutdown))
        #expect(try run.wait() == 0)
    }

    @Test func skippedOnesHaveARowWithTheReason() throws {
        try create(.skip)
        let order = try worker.nextRun()
        var skipped: [Instant] = []
        for _ in 0..<2 {
            let event = try run.event(.executionSkipped)
            #expect(event["task"] == "user.one")
            #expect(event["reason"] == "overlap")
            skipped.append(try #require(event.instant("planned_at")))
        }
        #expect(skipped == [order.occurrence + .seconds(1), order.occurrence + .seconds(2)])
        #expect(try worker.next(within: .zero, answeringPings: true) == nil)
        try stop(order)
        let rows = try run.root.occurrences()
        #expect(rows.first?.disposition == .ran)
        #expect(rows.first?.executionID == order.executionID)
        for (row, instant) in zip(rows.dropFirst(), skipped) {
            #expect(row.plannedAt == instant)
            #expect(row.disposition == .skipped)
            #expect(row.reason == "overlap")
            #expect(row.executionID == nil)
        }
    }

    @Test func oneWaitsAndTheOthersAreSkipped() throws {
        try create(.queueOne)
        let first = try worker.nextRun()
        let deferred = try run.event(.executionDeferred)
        #expect(deferred["reason"] == "overlap")
        let planned = try #require(deferred.instant("planned_at"))
        #expect(planned == first.occurrence + .seconds(1))
        #expect(
            try run.event(.executionSkipped).instant("planned_at")
                == first.occurrence + .seconds(2))
        try worker.finish(first, sequence: 0)
        let second = try worker.nextRun()
        #expect(second.occurrence == planned)
        #expect(second.executionID != first.executionID)
        try stop(second)
        let row = try run.root.occurrences().first { $0.plannedAt == planned }
        #expect(row?.disposition == .ran)
        #expect(row?.executionID == second.executionID)
    }

    @Test func allWaitInTheirOrder() throws {
        try create(.queueAll)
        let first = try worker.nextRun()
        for _ in 0..<2 {
            let deferred = try run.event(.executionDeferred)
            #expect(deferred["reason"] == "overlap", "\(deferred.text())")
        }
        try worker.finish(first, sequence: 0)
        let second = try worker.nextRun()
        try worker.finish(second, sequence: 0)
        let third = try worker.nextRun()
        #expect(second.occurrence == first.occurrence + .seconds(1))
        #expect(third.occurrence == first.occurrence + .seconds(2))
        try stop(third)
    }

    @Test func theOldOneIsCancelledForTheNew() throws {
        try create(.cancelOld)
        let old = try worker.nextRun()
        let order = try worker.next(answeringPings: true)
        #expect(
            order == .cancel(attempt: old.attempt, reason: .superseded, grace: .seconds(5)))
        try worker.finish(
            old, sequence: 0, .none, exit: .signaled(signal: 15), cause: .cancelled(.superseded))
        let finished = try run.event(.executionFinished)
        #expect(finished["outcome"] == "cancelled")
        #expect(finished["reason"] == "superseded")
        let new = try worker.nextRun()
        #expect(new.occurrence > old.occurrence)
        try stop(new)
    }

    @Test func allowedOnesRunBesideEachOther() throws {
        try create(.allow)
        let first = try worker.nextRun()
        let second = try worker.nextRun()
        #expect(second.occurrence == first.occurrence + .seconds(1))
        #expect(second.executionID != first.executionID)
        #expect(second.attempt != first.attempt)
    }

    @Test func aManualRunIsRefusedWhileOneRuns() throws {
        try run.createCommand()
        let id = try #require(
            try run.request(.taskRun, ["task": "user.one"])["execution"]?.string)
        let order = try worker.nextRun()
        let error = #expect(throws: BusError.self) {
            try run.request(.taskRun, ["task": "user.one"])
        }
        #expect(error?.code == .conflict)
        #expect(error?.description == "user.one runs already as \(id)")
        #expect(try worker.next(within: .zero, answeringPings: true) == nil)
        try worker.finish(order, sequence: 0)
        _ = try run.event(.executionFinished)
        _ = try run.request(.taskRun, ["task": "user.one"])
    }
}
