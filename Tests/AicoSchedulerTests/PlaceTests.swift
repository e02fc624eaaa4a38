// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoStore
import AicoWire
import BusClient
import SchedulerCore
import Testing

/// What holds a start back: places, and how busy the machine is.
@Suite(.serialized)
struct PlaceTests {
    /// The system's own tasks stay out of the way.
    private static func root(_ settings: String) throws -> InstanceRoot {
        try InstanceRoot(
            configuration: """
                scheduler:
                  resource_check_interval: 1
                \(settings)
                tasks:
                  maintenance:
                    health_check:
                      enabled: false

                """)
    }

    @Test func allClassesShareTheGlobalPlaces() throws {
        let run = try SchedulerRun(try Self.root("  max_concurrent_tasks: 1"))
        let user = try run.worker(.user)
        let maintenance = try run.worker(.maintenance)
        try run.createCommand()
        try run.client.subscribe()
        _ = try run.request(.taskRun, ["task": "maintenance.health_check"])
        let first = try maintenance.nextRun()
        let reply = try run.request(.taskRun, ["task": "user.one"])
        #expect(reply["state"] == "queued")
        #expect(try run.event(.executionDeferred)["reason"] == "concurrency")
        // It has no row yet, but whoever was told its id can ask for it.
        let told: JSONValue = ["execution": reply["execution"] ?? .null]
        let status = try run.request(.taskStatus, told)["execution"]
        #expect(status?["state"] == "queued" && status?["reason"] == "concurrency")
        #expect(try run.request(.taskLogs, told)["lines"] == [])
        #expect(try user.next(within: .zero, answeringPings: true) == nil)
        try maintenance.finish(first, sequence: 0)
        #expect(.string(try user.nextRun().executionID) == reply["execution"])
    }

    @Test func aWorkerGetsNoMoreThanItRunsAtOnce() throws {
        let run = try SchedulerRun(try Self.root("  class_concurrency:\n    user: 4"))
        let user = try run.worker(.user, capacity: 1)
        try run.createCommand("user.one")
        try run.createCommand("user.two")
        try run.client.subscribe()
        _ = try run.request(.taskRun, ["task": "user.one"])
        let first = try user.nextRun()
        #expect(try run.request(.taskRun, ["task": "user.two"])["state"] == "queued")
        #expect(try run.event(.executionDeferred)["reason"] == "class_concurrency")
        try user.finish(first, sequence: 0)
        #expect(try user.nextRun().taskID == "user.two")
    }

    @Test func aClassHasItsOwnPlaces() throws {
        let run = try SchedulerRun(
            try Self.root("  class_concurrency:\n    user: 1"))
        let user = try run.worker(.user)
        let maintenance = try run.worker(.maintenance)
        try run.createCommand("user.one")
        try run.createCommand("custom.two")
        try run.client.subscribe()
        _ = try run.request(.taskRun, ["task": "user.one"])
        let first = try user.nextRun()
        #expect(try run.request(.taskRun, ["task": "custom.two"])["state"] == "queued")
        #expect(try run.event(.executionDeferred)["reason"] == "class_concurrency")
        _ = try run.request(.taskRun, ["task": "maintenance.health_check"])
        #expect(try maintenance.nextRun().taskID == "maintenance.health_check")
        try user.finish(first, sequence: 0)
        #expect(try user.nextRun().taskID == "custom.two")
    }

    @Test func theHighestPriorityTakesThePlace() throws {
        let run = try SchedulerRun(try Self.root("  max_concurrent_tasks: 1"))
        let user = try run.worker(.user)
        try run.createCommand("user.first")
        try run.createCommand("user.low", policies: ["priority": -1])
        try run.createCommand("user.high", policies: ["priority": 1])
        for task in ["user.first", "user.low", "user.high"] {
            _ = try run.request(.taskRun, ["task": .string(task)])
        }
        var order = try user.nextRun()
        for task in ["user.high", "user.low"] {
            try user.finish(order, sequence: 0)
            order = try user.nextRun()
            #expect(order.taskID == task)
        }
    }

    struct Busy: Sendable {
        let cpu: Double
        let memory: Double
        var idleOnly = false
        let reason: String
    }

    @Test(arguments: [
        Busy(cpu: 99, memory: 0, reason: "cpu"), Busy(cpu: 0, memory: 99, reason: "memory"),
        Busy(cpu: 50, memory: 0, idleOnly: true, reason: "not_idle"),
    ])
    func aBusyMachineDefersUntilItIsNot(busy: Busy) throws {
        try Self.defersUntilItIsNot(busy, overlap: "skip")
    }

    @Test func whatMayRunBesideOthersIsToldOfAsWell() throws {
        try Self.defersUntilItIsNot(Busy(cpu: 99, memory: 0, reason: "cpu"), overlap: "allow")
    }

    /// The list, the task and the history say what it waits for, and since when.
    private static func expectToldThatItWaits(
        _ run: SchedulerRun, _ event: JSONValue, reason: String
    ) throws {
        let since = try #require(event.instant("since"))
        #expect(abs((Instant.now - since) / .seconds(1)) < 60)
        let listed = try run.request(.taskList)["tasks"]?.array?.first { $0["id"] == "user.one" }
        let task = try run.request(.taskStatus, ["task": "user.one"])["task"]
        let ofOne = try run.request(.taskHistory, ["task": "user.one"])
        let queued = try #require(ofOne["queued"]?.array?.first)
        for waits in [listed?["waits"], task?["waits"], queued["waits"]] {
            #expect(waits?["reason"] == .string(reason))
            #expect(waits?["since"] == event["since"])
            #expect(waits?["detail"] == event["detail"])
        }
        #expect(listed?["queued"] == event["execution"])
        #expect(queued["execution"] == event["execution"] && queued["state"] == "queued")
        #expect(ofOne["executions"] == [])
        #expect(try run.request(.taskHistory)["queued"]?.array?.count == 1)
        #expect(try run.request(.taskHistory, ["outcome": "succeeded"])["queued"] == [])
    }

    private static func defersUntilItIsNot(_ busy: Busy, overlap: String) throws {
        let machine = ChangingLoad(cpu: busy.cpu, memory: busy.memory)
        let run = try SchedulerRun(try root(""), monitor: machine) {
            $0.resourceCheckInterval = .milliseconds(50)
        }
        let worker = try run.worker(.user)
        try run.client.subscribe()
        let instant = Instant.soon
        try run.createCommand(
            schedule: "at:\(instant)",
            policies: ["idle_only": .bool(busy.idleOnly), "overlap": .string(overlap)])
        let event = try run.event(.executionDeferred)
        #expect(event["reason"] == .string(busy.reason))
        #expect(event.instant("planned_at") == instant)
        #expect(try worker.next(within: .zero, answeringPings: true) == nil)
        try expectToldThatItWaits(run, event, reason: busy.reason)
        machine.set(cpu: 1, memory: 1)
        let order = try worker.nextRun()
        #expect(order.occurrence == instant)
        #expect(try run.request(.taskStatus, ["task": "user.one"])["task"]?["waits"] == .null)
        #expect(try run.request(.taskHistory)["queued"] == [])
        try worker.finish(order, sequence: 0)
        _ = try run.event(.executionFinished)
        _ = try run.stop()
        #expect(try run.root.occurrences().map(\.disposition) == [.ran])
    }

    @Test func theReasonOfWhatWaitsIsInTheStore() throws {
        let machine = ChangingLoad(cpu: 99, memory: 0)
        let run = try SchedulerRun(try Self.root(""), monitor: machine)
        _ = try run.worker(.user)
        try run.client.subscribe()
        try run.createCommand(schedule: "at:\(Instant.soon)")
        _ = try run.event(.executionDeferred)
        _ = try run.stop()
        let rows = try run.root.occurrences()
        #expect(rows.map(\.disposition) == [.deferred])
        #expect(rows.map(\.reason) == ["cpu"])
    }

    @Test(arguments: [false, true])
    func beyondMaxDeferItRunsUnlessItNeedsAnIdleMachine(idleOnly: Bool) throws {
        let run = try SchedulerRun(
            try Self.root(""), monitor: FixedLoad(Admission.Load(cpu: 99, memory: 99)))
        let worker = try run.worker(.user)
        try run.client.subscribe()
        try run.createCommand(
            schedule: "at:\(Instant.soon)",
            policies: ["max_defer": 0.3, "idle_only": .bool(idleOnly)])
        _ = try run.event(.executionDeferred)
        if idleOnly {
            #expect(try run.event(.executionSkipped)["reason"] == "max_defer")
            #expect(try worker.next(within: .zero, answeringPings: true) == nil)
            _ = try run.stop()
            let rows = try run.root.occurrences()
            #expect(rows.map(\.disposition) == [.skipped])
            #expect(rows.map(\.reason) == ["max_defer"])
        } else {
            let order = try worker.nextRun()
            #expect(Instant.now - order.occurrence >= .milliseconds(300))
        }
    }

    @Test func aPersonIsNotHeldBack() throws {
        let run = try SchedulerRun(
            try Self.root(""), monitor: FixedLoad(Admission.Load(cpu: 99, memory: 99)))
        let worker = try run.worker(.user)
        try run.createCommand(policies: ["idle_only": true])
        #expect(try run.request(.taskRun, ["task": "user.one"])["state"] == "running")
        #expect(try worker.nextRun().taskID == "user.one")
    }
}
