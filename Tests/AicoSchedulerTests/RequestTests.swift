// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoStore
import AicoWire
import BusClient
import Testing
import ZeroMQ

/// What the bus does and what it refuses.
@Suite(.serialized)
struct RequestTests {
    private let run: SchedulerRun

    init() throws { run = try SchedulerRun(try InstanceRoot()) }

    private func next() throws -> [JSONValue] {
        try run.request(.taskNext, ["task": "user.one", "count": 2])["next"]?.array ?? []
    }

    @Test func disabledTasksAreNotDueAndEnabledOnesAreAgain() throws {
        try run.createCommand(schedule: "0 3 * * *")
        #expect(try next().count == 2)
        let disabled = try run.request(.taskDisable, ["task": "user.one"])["task"]
        #expect(disabled?["enabled"] == false)
        #expect(disabled?["next_run"] == .null)
        #expect(try next() == [])
        // A person may run it all the same.
        #expect(try run.request(.taskRun, ["task": "user.one"])["state"] == "queued")
        let enabled = try run.request(.taskEnable, ["task": "user.one"])["task"]
        #expect(enabled?["enabled"] == true)
        #expect(try next().count == 2)
        #expect(try run.stop() == 0)
        let actions = try run.root.audit().map(\.action)
        #expect(
            actions.filter { $0.hasPrefix("task.") }
                == ["task.create", "task.disable", "task.run", "task.enable"])
    }

    @Test func whatWaitsForAMachineIsSkippedWhenItsTaskIsDisabled() throws {
        try run.client.subscribe()
        try run.createCommand(schedule: "at:\(Instant.soon)")
        _ = try run.event(.executionDeferred)
        _ = try run.request(.taskDisable, ["task": "user.one"])
        #expect(try run.event(.executionSkipped)["reason"] == "disabled")
    }

    @Test func updateChangesWhatIsNamed() throws {
        try run.createCommand(schedule: "0 3 * * *", policies: ["timeout": 60, "priority": 5])
        let task = try run.request(
            .taskUpdate,
            [
                "task": "user.one", "schedule": "0 4 * * *", "timezone": "Europe/Berlin",
                "config": ["limit": 3], "policies": ["priority": nil, "grace": 1],
            ])["task"]
        #expect(task?["schedule"] == "0 4 * * *")
        #expect(task?["timezone"] == "Europe/Berlin")
        #expect(task?["config"] == ["argv": ["/bin/true"], "limit": 3])
        #expect(task?["policies"] == ["timeout": 60, "grace": 1])
        let at = try #require(try next().first?.instant("at")).iso8601
        #expect(["T02:00:00Z", "T03:00:00Z"].contains(String(at.dropFirst(10))))
    }

    @Test func aDeletedTaskIsGoneAndItsHistoryStays() throws {
        let worker = try run.worker(.user)
        try run.createCommand()
        try run.client.subscribe()
        _ = try run.request(.taskRun, ["task": "user.one"])
        let order = try worker.nextRun()
        #expect(
            try run.request(.taskDelete, ["task": "user.one"])
                == ["deleted": "user.one", "ending": [.string(order.executionID)]])
        #expect(
            try worker.next(answeringPings: true)
                == .cancel(attempt: order.attempt, reason: .requested, grace: .seconds(5)))
        try worker.finish(order, sequence: 0, .none, cause: .cancelled(.requested))
        #expect(try run.event(.executionFinished)["outcome"] == "cancelled")
        let history = try run.request(.taskHistory, ["task": "user.one"])["executions"]?.array
        #expect(history?.count == 1)
        let error = #expect(throws: BusError.self) {
            try run.request(.taskStatus, ["task": "user.one"])
        }
        #expect(error?.code == .notFound)
        try run.createCommand()
    }

    @Test func whatWaitedForADeletedTaskHasItsRow() throws {
        try run.client.subscribe()
        try run.createCommand(schedule: "at:\(Instant.soon)")
        _ = try run.event(.executionDeferred)
        _ = try run.request(.taskDelete, ["task": "user.one"])
        #expect(try run.event(.executionSkipped)["reason"] == "deleted")
        #expect(try run.stop() == 0)
        #expect(try run.root.occurrences().map(\.disposition) == [.skipped])
    }

    @Test func aViewerReadsAndChangesNothing() throws {
        try run.createCommand()
        let viewer = try BusClient.load(
            root: run.root.path, keyFile: "\(run.root.path)/run/aico/bus/maintenance.key")
        for topic in BusTopic.allCases where topic.role != .viewer {
            let error = #expect(throws: BusError.self) {
                try viewer.request(topic: topic, body: ["task": "user.one"])
            }
            #expect(error?.code == .notPermitted)
            #expect(error?.hint == "use a key with that role")
        }
        #expect(try viewer.request(topic: .taskList)["tasks"]?.array?.count == 2)
        #expect(try viewer.request(topic: .health)["status"] != nil)
        #expect(try run.stop() == 0)
        let refused = try run.root.audit().filter { $0.action == "bus.not_permitted" }
        // The first ten of a minute; the rest is counted.
        #expect(refused.count == 10)
        #expect(refused.allSatisfy { $0.actor == "maintenance" && $0.detail == "viewer" })
    }

    @Test func anUnknownKeyDoesNotEnter() throws {
        let path = run.root.path
        let file = try ClientKeyFile.read(path: "\(path)/var/lib/aico/keys/clients/admin.key")
        let stranger = try BusClient(
            endpoint: "ipc://\(path)/run/aico/bus/bus.sock", serverKey: file.serverKey,
            clientKeys: .generate())
        let error = #expect(throws: BusError.self) { try stranger.request(topic: .taskList) }
        guard case .notAdmitted = error else {
            Issue.record("expected a refusal, got \(String(describing: error))")
            return
        }
        #expect(try run.request(.taskList)["tasks"] != nil)
        #expect(try run.stop() == 0)
        #expect(try run.root.audit().contains { $0.action == "bus.key_refused" })
    }
}
