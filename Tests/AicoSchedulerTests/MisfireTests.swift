// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoStore
import AicoWire
import BusClient
import Testing

/// Instants that passed while nothing ran: four of an hourly task, the last half an hour ago.
@Suite(.serialized)
struct MisfireTests {
    private let root: InstanceRoot
    private let instants: [Instant]

    init() throws {
        root = try InstanceRoot(
            configuration: "scheduler:\n  max_cpu_percent: 100\n  max_catchup: 3\n")
        let created = Instant.now - .seconds(4 * 3600 + 1800)
        instants = (1...4).map { created + .seconds($0 * 3600) }
    }

    private func start(_ policies: JSONValue) throws -> (SchedulerRun, ScriptedWorker) {
        try root.put(
            "interval:3600", created: instants[0] - .seconds(3600), nextRun: instants[0],
            policies: policies)
        let run = try SchedulerRun(root)
        try run.client.subscribe()
        return (run, try run.worker(.user))
    }

    private func rows() throws -> [String] {
        try root.occurrences().map { row in
            let index = instants.firstIndex(of: row.plannedAt).map { "\($0)" } ?? "?"
            return "\(index) \(row.disposition)" + (row.reason.isEmpty ? "" : " \(row.reason)")
        }
    }

    @Test func runOnceRunsTheLatest() throws {
        let (run, worker) = try start([:])
        let order = try worker.nextRun()
        #expect(order.occurrence == instants[3])
        try worker.start(order)
        #expect(try run.event(.executionStarted)["trigger"] == "catch_up")
        try worker.finish(order)
        _ = try run.event(.executionFinished)
        let next = try run.request(.taskNext, ["task": "user.one", "count": 1])["next"]?.array
        #expect(next?.first?.instant("at") == instants[3] + .seconds(3600))
        #expect(try worker.next(within: .zero, answeringPings: true) == nil)
        #expect(try run.stop() == 0)
        #expect(
            try rows() == [
                "0 coalesced coalesced", "1 coalesced coalesced", "2 coalesced coalesced", "3 ran",
            ])
    }

    @Test func skipRunsNone() throws {
        let (run, worker) = try start(["misfire": "skip"])
        #expect(try run.request(.taskNext, ["task": "user.one", "count": 1])["next"] != [])
        #expect(try worker.next(within: .zero, answeringPings: true) == nil)
        #expect(try run.stop() == 0)
        #expect(try rows() == (0...3).map { "\($0) missed misfire_skip" })
    }

    @Test func runAllRunsThemOneAfterTheOtherUpToTheCap() throws {
        let (run, worker) = try start(["misfire": "run_all"])
        for instant in instants.dropFirst() {
            let order = try worker.nextRun()
            #expect(order.occurrence == instant)
            #expect(try worker.next(within: .zero, answeringPings: true) == nil)
            try worker.finish(order, sequence: 0)
            _ = try run.event(.executionFinished)
        }
        #expect(try run.stop() == 0)
        #expect(try rows() == ["0 missed catchup_cap", "1 ran", "2 ran", "3 ran"])
    }

    @Test func whatLiesBeforeTheWindowDoesNotRun() throws {
        let (run, worker) = try start(["catchup_window": 10_800, "misfire": "run_all"])
        for instant in instants.dropFirst() {
            let order = try worker.nextRun()
            #expect(order.occurrence == instant)
            try worker.finish(order, sequence: 0)
            _ = try run.event(.executionFinished)
        }
        #expect(try run.stop() == 0)
        #expect(try rows() == ["0 missed catchup_window", "1 ran", "2 ran", "3 ran"])
    }

    @Test func missedOnesThatWaitSurviveAnotherStart() throws {
        var (run, worker): (SchedulerRun?, ScriptedWorker?) = try start(["misfire": "run_all"])
        let first = try #require(try worker?.nextRun())
        #expect(first.occurrence == instants[1])
        try run?.abandon()
        (run, worker) = (nil, nil)
        let again = try SchedulerRun(root)
        let other = try again.worker(.user)
        for instant in instants.dropFirst(2) {
            let order = try other.nextRun()
            #expect(order.occurrence == instant)
            try other.finish(order, sequence: 0)
        }
    }
}
