// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoStore
import AicoWire
import BusClient
import SchedulerCore
import Testing

/// Workers whose class's canary is not held: they get no orders, and health says why.
@Suite(.serialized)
struct CanaryTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let id: String
        var line: String? = CanaryReport(open: []).line
        var verdict = TaskReply.none
        var exit = ProcessExit.signaled(signal: 9)
        var cause: EndCause?
        let why: String
        var testDescription: String { id }

        func act(_ worker: ScriptedWorker, _ run: AttemptOrder) throws {
            try worker.start(run)
            if let line { try worker.log(run, line) }
            try worker.finish(
                run, sequence: line == nil ? 1 : 2, verdict, exit: exit, cause: cause)
        }
    }

    @Test(arguments: [
        Row(
            id: "open way", line: CanaryReport(open: [.readShadow]).line,
            cause: .denied("unshare"), why: "its canary could open /etc/shadow"),
        Row(
            id: "succeeded", verdict: .succeeded(result: Array("1".utf8)), exit: .exited(code: 0),
            why: "its canary was not ended by unshare: it succeeded"),
        Row(
            id: "said success and was denied", verdict: .succeeded(result: Array("1".utf8)),
            cause: .denied("unshare"),
            why: "its canary was not ended by unshare: called unshare(0x10000000, 0x0, 0x0, 0x0, "
                + "0x0, 0x0), which its profile denies"),
        Row(
            id: "went on after the denial", exit: .exited(code: 0), cause: .denied("unshare"),
            why: "its canary was not ended by unshare: called unshare(0x10000000, 0x0, 0x0, 0x0, "
                + "0x0, 0x0), which its profile denies"),
        Row(
            id: "failed", verdict: .failed(permanent: true, message: "unshare was not denied"),
            exit: .exited(code: 1),
            why: "its canary was not ended by unshare: unshare was not denied"),
        Row(
            id: "killed by a signal",
            why: "its canary was not ended by unshare: killed by signal 9"),
        Row(
            id: "another call denied", cause: .denied("ptrace"),
            why: "its canary was ended by ptrace, not by unshare"),
        Row(
            id: "refused layer", line: nil, exit: .exited(code: 127),
            cause: .layerRefused(LayerFailure(layer: "landlock", errno: 95, detail: "ruleset")),
            why: "its canary was not ended by unshare: "
                + "layer landlock was refused with errno 95 at ruleset"),
        Row(
            id: "unknown to the worker", line: nil, exit: .notStarted,
            cause: .orderRefused(message: "this worker has no type"),
            why: "its canary was not ended by unshare: this worker has no type"),
        Row(
            id: "no line", line: nil, cause: .denied("unshare"),
            why: "its canary reported nothing that can be read"),
        Row(
            id: "garbage", line: "canary/1 tried=1", cause: .denied("unshare"),
            why: "its canary reported nothing that can be read"),
        Row(
            id: "too few ways", line: CanaryReport(tried: 1, open: []).line,
            cause: .denied("unshare"),
            why: "its canary tried 1 of \(EscapeCheck.allCases.count) ways out"),
    ])
    func aClassWhoseCanaryIsNotHeldTakesNoOrders(row: Row) throws {
        let run = try SchedulerRun(try InstanceRoot())
        try run.client.subscribe()
        let worker = try ScriptedWorker(.user, root: run.root.path)
        try row.act(worker, try worker.canary())
        #expect(try unproven(run) == row.why)
        try expectNoOrders(run, consume worker, why: row.why)
        #expect(try run.stop() == 0)
        let entries = try run.root.audit().filter { $0.action == "class.canary" }
        #expect(entries.map(\.subject) == ["user"])
        #expect(entries.map(\.detail) == [row.why])
    }

    @Test func aCanaryThatNeverEndsIsNotHeld() throws {
        let patience = Duration.milliseconds(1500)
        let run = try SchedulerRun(try InstanceRoot()) { $0.canaryPatience = patience }
        try run.client.subscribe()
        let worker = try ScriptedWorker(.user, root: run.root.path)
        let order = try worker.canary()
        try worker.start(order)
        try worker.log(order, CanaryReport(open: []).line)
        #expect(order.timeout < patience)
        let why = "its canary did not end in time"
        #expect(try unproven(run) == why)
        // Its late end changes nothing, and breaks no rule.
        try worker.finish(
            order, sequence: 2, .none, exit: .signaled(signal: 9), cause: .denied("unshare"))
        try expectNoOrders(run, consume worker, why: why)
    }

    @Test func aHeldCanaryLeavesNoTraceInTheStore() throws {
        let run = try SchedulerRun(try InstanceRoot())
        let worker = try ScriptedWorker(.user, root: run.root.path)
        let order = try worker.canary()
        #expect(order.attempt.value > UInt64(Int64.max))
        #expect(order.taskType == "user.canary")
        #expect(try state(run)["state"] == "starting")
        try worker.holdCanary(order)
        try run.waitUntilRunning(worker, of: .user)
        let ways = EscapeCheck.allCases.count
        #expect(
            try state(run)["message"]
                == .string("its canary passed \(ways) escape checks"))
        let stats = try run.request(.stats)
        #expect(stats["outcomes"] == [:])
        #expect(stats["running"] == 0)
        #expect(try run.stop() == 0)
        let store = try run.root.store()
        #expect(try store.runningAttempts().records.isEmpty)
        try store.close()
        #expect(try !run.root.audit().contains { $0.action == "class.canary" })
    }

    @Test(arguments: ["gap", "unknown attempt", "garbage", "after the end"])
    func aReportThatBreaksARuleHasTheWorkerKilled(fault: String) throws {
        let run = try SchedulerRun(try InstanceRoot())
        let worker = try ScriptedWorker(.user, root: run.root.path)
        let order = try worker.canary()
        switch fault {
        case "gap": try worker.log(order, sequence: 1, CanaryReport(open: []).line)
        case "unknown attempt":
            var other = order
            other.attempt = AttemptKey(order.attempt.value - 1)
            try worker.start(other)
        case "garbage": try worker.send([1, 2, 3, 255])
        default:
            try worker.holdCanary(order)
            try worker.holdCanary(order)
        }
        let message = try run.receive()
        #expect(message.kind == .kill)
        #expect(message.worker == 3)
        #expect(try run.request(.health)["status"] == "critical")
        #expect(try state(run)["state"] == "stopped")
        #expect(try state(run)["message"]?.string?.isEmpty == false)
    }

    @Test func noTaskCanBeMadeOfACanary() throws {
        let run = try SchedulerRun(try InstanceRoot())
        let error = #expect(throws: BusError.self) {
            _ = try run.request(
                .taskCreate, ["id": "user.one", "type": "user.canary", "schedule": "@daily"])
        }
        #expect(error?.code == .invalid)
    }

    /// Waits until the class's worker counts as unproven, and gives the reason.
    private func unproven(_ run: SchedulerRun) throws -> String? {
        while true {
            let event = try #require(
                try run.client.nextEvent(timeout: .seconds(20)), "no worker is unproven")
            if event.topic == BusEventTopic.worker.rawValue, event.data["state"] == "canary_failed"
            {
                #expect(event.data["class"] == "user")
                return event.data["detail"]?.string
            }
        }
    }

    /// Health says why, an order waits, another class works, and a new worker is proven anew.
    private func expectNoOrders(
        _ run: SchedulerRun, _ worker: consuming ScriptedWorker, why: String
    ) throws {
        let health = try run.request(.health)
        #expect(health["status"] == "critical")
        let check = health["checks"]?.array?.first { $0["name"] == "worker.user" }
        #expect(check?["status"] == "critical")
        #expect(check?["message"] == .string(why))
        #expect(try state(run)["state"] == "canary_failed")
        #expect(try state(run)["message"] == .string(why))
        try run.createCommand()
        _ = try run.request(.taskRun, ["task": "user.one"])
        #expect(try run.event(.executionDeferred)["reason"] == "worker")
        let honest = try run.worker(.maintenance)
        _ = try run.request(.taskRun, ["task": "maintenance.health_check"])
        let other = try honest.nextRun()
        try honest.finish(other, sequence: 0)
        #expect(try run.event(.executionFinished)["outcome"] == "succeeded")
        #expect(try worker.next(within: .zero) == nil)
        // A pong to a ping of old does not open it either.
        try worker.report(.pong(nonce: 1))
        // Its connection must be gone, or it shares the next one's orders.
        _ = consume worker
        run.send(.exited, .user, argument: 9)
        run.send(.launched, .user, processID: 2000)
        let again = try run.worker(.user)
        let order = try again.nextRun()
        #expect(order.taskID == "user.one")
        #expect(try state(run)["state"] == "running")
        try again.finish(order, sequence: 0)
        #expect(try run.event(.executionFinished)["execution"] == .string(order.executionID))
    }

    private func state(_ run: SchedulerRun) throws -> JSONValue {
        let workers = try run.request(.health)["workers"]?.array
        return try #require(workers?.first { $0["class"] == "user" })
    }
}
