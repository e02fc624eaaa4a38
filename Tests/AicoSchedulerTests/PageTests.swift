// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import BusClient
import Testing

/// Lists that come in pages, and executions by the beginning of their ids.
@Suite(.serialized)
struct PageTests {
    private let run: SchedulerRun

    init() throws { run = try SchedulerRun(try InstanceRoot()) }

    private func tasks(_ body: JSONValue) throws -> (names: [JSONValue?], next: JSONValue?) {
        let page = try run.request(.taskList, body)
        return (page["tasks"]?.array?.map { $0["id"] } ?? [], page["next"])
    }

    @Test func tasksComeInPagesThatGoOnWhereTheLastOneEnded() throws {
        for name in ["c", "a", "d", "b"] { try run.createCommand("user.\(name)") }
        let first = try tasks(["limit": 2])
        #expect(first.names == ["maintenance.health_check", "user.a"])
        #expect(first.next == "user.a")
        let second = try tasks(["limit": 2, "after": "user.a"])
        #expect(second.names == ["user.b", "user.c"])
        #expect(second.next == "user.c")
        let third = try tasks(["limit": 2, "after": "user.c"])
        #expect(third.names == ["user.d"])
        #expect(third.next == .null)
        // One that is gone meanwhile leaves its place.
        _ = try run.request(.taskDelete, ["task": "user.b"])
        #expect(try tasks(["after": "user.b"]).names == ["user.c", "user.d"])
        #expect(try tasks(["limit": 1, "class": "user"]).names == ["user.a"])
        let last = try tasks(["limit": 4])
        #expect(last.names.count == 4 && last.next == .null)
    }

    @Test func historyComesInPagesThatGoOnWhereTheLastOneEnded() throws {
        let worker = try run.worker(.user)
        try run.createCommand()
        try run.client.subscribe()
        var ran: [JSONValue] = []
        for _ in 0..<3 {
            ran.append(try #require(try run.request(.taskRun, ["task": "user.one"])["execution"]))
            try worker.finish(try worker.nextRun(), sequence: 0)
            _ = try run.event(.executionFinished)
        }
        let first = try run.request(.taskHistory, ["task": "user.one", "limit": 2])
        #expect(first["executions"]?.array?.map { $0["execution"] } == [ran[2], ran[1]])
        #expect(first["next"] == ran[1])
        let second = try run.request(
            .taskHistory, ["task": "user.one", "limit": 2, "after": ran[1]])
        #expect(second["executions"]?.array?.map { $0["execution"] } == [ran[0]])
        #expect(second["next"] == .null)
        let error = #expect(throws: BusError.self) {
            try run.request(
                .taskHistory, ["after": "00000000-0000-4000-8000-000000000000"])
        }
        #expect(error?.code == .notFound)
    }

    @Test func whatIsQueuedStandsBesideTheFirstPageAlone() throws {
        try run.createCommand()
        let id = try #require(try run.request(.taskRun, ["task": "user.one"])["execution"])
        let first = try run.request(.taskHistory)
        #expect(first["queued"]?.array?.map { $0["execution"] } == [id])
        #expect(first["executions"] == [] && first["next"] == .null)
    }

    /// One that waits for its first attempt stands in no table: the verbs find it by its digits.
    @Test func aQueuedExecutionIsFoundByTheBeginningOfItsID() throws {
        try run.createCommand()
        let id = try #require(try run.request(.taskRun, ["task": "user.one"])["execution"])
        let short = JSONValue.string(String(try #require(id.string).prefix(8)))
        let status = try run.request(.taskStatus, ["execution": short])["execution"]
        #expect(status?["execution"] == id && status?["state"] == "queued")
        let logs = try run.request(.taskLogs, ["execution": short])
        #expect(logs["execution"]?["execution"] == id && logs["lines"] == [])
        #expect(try run.request(.taskCancel, ["execution": short])["cancelled"] == [id])
        let error = #expect(throws: BusError.self) {
            try run.request(.taskStatus, ["execution": short])
        }
        #expect(error?.code == .notFound)
    }
}
