// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import BusClient
import Glibc
import Testing

/// The canary of every class in the real sandboxes, at each start of a worker.
@Suite(.serialized, .enabled(if: Built.canStart, Built.reason))
struct CanaryTests {
    @Test func everyClassIsProvenAndAWorkerThatCameBackToo() throws {
        let instance = try Instance()
        let client = try instance.client()
        let proof = "its canary passed \(EscapeCheck.allCases.count) escape checks"
        let health = try client.request(topic: "scheduler.health", body: [:])
        for taskClass in TaskClass.allCases {
            let worker = try state(of: taskClass, in: health)
            #expect(worker["state"] == "running")
            #expect(worker["message"] == .string(proof))
        }
        let events = try instance.client()
        try events.subscribe(prefix: "scheduler.event.health")
        let processID = try #require(try state(of: .security, in: health)["pid"]?.int)
        #expect(kill(Int32(processID), SIGKILL) == 0)
        let again = try waitForRestart(of: .security, client: client)
        #expect(again["message"] == .string(proof))
        #expect(again["pid"]?.int != processID)
        #expect(instance.stop() == 0)
        // No execution was made for them.
        #expect(try instance.cgroups() == [])
    }

    /// The most that a profile may loosen of what the canary looks for: its last call is answered
    /// with an error where it has to end the attempt.
    @Test func aClassWhoseCanaryIsNotEndedTakesNoOrders() throws {
        let instance = try Instance(awaiting: "takes no orders") { text in
            text.replacing("  allow:\n", with: "  refuse:\n    - unshare\n  allow:\n")
        }
        let client = try instance.client()
        let health = try client.request(topic: "scheduler.health", body: [:])
        #expect(health["status"] == "critical", "\(health.text())")
        let user = try state(of: .user, in: health)
        #expect(user["state"] == "canary_failed")
        #expect(
            user["message"] == "its canary was not ended by unshare: unshare was not denied")
        let check = health["checks"]?.array?.first { $0["name"] == "worker.user" }
        #expect(check?["message"] == user["message"])
        #expect(check?["status"] == "critical")
        let events = try instance.client()
        try events.subscribe(prefix: "scheduler.event.execution")
        try instance.makeTask("user.none", argv: ["/bin/true"], client: client)
        _ = try client.request(topic: "scheduler.task.run", body: ["task": "user.none"])
        let event = try #require(try events.nextEvent(timeout: Built.patience(seconds: 10)))
        #expect(event.topic == "scheduler.event.execution.deferred")
        #expect(event.data["reason"] == "worker")
        // Another class works.
        let other = try instance.run("maintenance.health_check", client: client)
        try instance.waitForEnd(of: other, events: events)
        #expect(try instance.record(of: other, client: client).outcome == "succeeded")
    }

    private func state(of taskClass: TaskClass, in health: JSONValue) throws -> JSONValue {
        try #require(health["workers"]?.array?.first { $0["class"] == .string(taskClass.name) })
    }

    private func waitForRestart(of taskClass: TaskClass, client: BusClient) throws -> JSONValue {
        let deadline = ContinuousClock.now + Built.patience(seconds: 30)
        while ContinuousClock.now < deadline {
            let health = try client.request(topic: "scheduler.health", body: [:])
            let worker = try state(of: taskClass, in: health)
            if worker["restarts"] == 1, worker["state"] == "running" { return worker }
            sched_yield()
        }
        throw SystemFailure("the worker of class \(taskClass.name) did not come back")
    }
}
