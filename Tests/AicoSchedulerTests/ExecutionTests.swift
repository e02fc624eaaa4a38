// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import BusClient
import Testing

@Suite(.serialized)
struct ExecutionTests {
    @Test func runReachesTheWorkerAndItsResultTheStore() throws {
        let run = try SchedulerRun(try InstanceRoot())
        let worker = try run.worker(.user)
        try run.createCommand()
        try run.client.subscribe()
        let reply = try run.request(.taskRun, ["task": "user.one"])
        #expect(reply["state"] == "running")
        let order = try worker.nextRun()
        #expect(order.taskID == "user.one")
        #expect(order.taskType == "user.command")
        #expect(order.attemptNumber == 1)
        #expect(order.timeout == .seconds(300))
        #expect(order.config == JSONValue.serialized(["argv": ["/bin/true"]])(indented: false))
        try worker.start(order)
        try worker.report(
            .log(
                attempt: order.attempt, sequence: 1, stream: .standardOutput, at: order.occurrence,
                line: "hello"))
        try worker.finish(order, sequence: 2, TaskReply.succeeded(result: Array("{\"n\":7}".utf8)))
        #expect(try run.event(.executionStarted)["execution"] == reply["execution"])
        #expect(try run.event(.executionLog)["line"] == "hello")
        let finished = try run.event(.executionFinished)
        #expect(finished["outcome"] == "succeeded")
        #expect(finished["result"] == ["n": 7])
        let status = try run.request(
            .taskStatus, ["execution": try #require(reply["execution"])])["execution"]
        #expect(status?["state"] == "ended")
        #expect(status?["result"] == ["n": 7])
        let attempt = status?["attempt_list"]?.array?.first
        #expect(attempt?["exit_code"] == 0)
        #expect(attempt?["layers"]?["held"] == ["namespaces", "seccomp"])
        #expect(attempt?["usage"]?["peak_memory_bytes"] == 4096)
        let logs = try run.request(.taskLogs, ["task": "user.one"])["lines"]?.array
        #expect(logs?.map { $0["line"] } == ["hello"])
        #expect(logs?.first?["attempt"] == 1)
        #expect(try run.stop() == 0)
    }
}
