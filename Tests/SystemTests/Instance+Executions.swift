// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import BusClient

/// How an execution ended, as the store has it.
struct EndedExecution {
    /// EXECUTION of the bus, with its attempts.
    var data: JSONValue
    /// The lines of its log.
    var lines: [String]

    var identifier: String { data["execution"]?.string ?? "" }
    var outcome: String { data["outcome"]?.string ?? "" }
    var reason: String { data["reason"]?.string ?? "" }
    /// The last attempt.
    var attempt: JSONValue { data["attempt_list"]?.array?.last ?? .null }
    var cause: String { attempt["cause"]?["kind"]?.string ?? "" }
    /// The name of the system call that ended it.
    var deniedCall: String { attempt["cause"]?["syscall"]?.string ?? "" }
    var exitCode: Int? { attempt["exit_code"]?.int }
}

extension Instance {
    /// Makes a task that runs only by hand.
    func makeTask(
        _ identifier: String, type: String = "user.command", argv: [String],
        config: [String: JSONValue] = [:],
        policies: JSONValue = ["retry": ["count": 0]], client: BusClient
    ) throws {
        var config = config
        config["argv"] = .array(argv.map { .string($0) })
        _ = try client.request(
            topic: "scheduler.task.create",
            body: [
                "id": .string(identifier), "type": .string(type),
                "schedule": "at:2999-01-01T00:00:00Z",
                "config": .object(config), "policies": policies,
            ])
    }

    /// Asks for a run now; the execution's id.
    func run(_ identifier: String, client: BusClient) throws -> String {
        let reply = try client.request(
            topic: "scheduler.task.run", body: ["task": .string(identifier)])
        guard let execution = reply["execution"]?.string else {
            throw SystemFailure("no execution in \(reply.text())")
        }
        return execution
    }

    /// Waits for the last word of an execution.
    func waitForEnd(of execution: String, events: BusClient) throws {
        let deadline = ContinuousClock.now + Built.patience(seconds: 60)
        while ContinuousClock.now < deadline {
            let left = deadline - ContinuousClock.now
            guard let event = try events.nextEvent(timeout: left) else { break }
            guard event.topic == "scheduler.event.execution.finished" else { continue }
            if event.data["execution"]?.string == execution { return }
        }
        throw SystemFailure("execution \(execution) did not end")
    }

    /// What the store has of an execution.
    func record(of execution: String, client: BusClient) throws -> EndedExecution {
        let status = try client.request(
            topic: "scheduler.task.status", body: ["execution": .string(execution)])
        let logs = try client.request(
            topic: "scheduler.task.logs", body: ["execution": .string(execution)])
        return EndedExecution(
            data: status["execution"] ?? .null,
            lines: logs["lines"]?.array?.compactMap { $0["line"]?.string } ?? [])
    }

    /// Runs a command once through scheduler, worker and fork server, to its end.
    func runToEnd(
        _ identifier: String, type: String = "user.command", argv: [String],
        config: [String: JSONValue] = [:],
        policies: JSONValue = ["retry": ["count": 0]]
    ) throws -> EndedExecution {
        let client = try client()
        let events = try self.client()
        try events.subscribe(prefix: "scheduler.event.execution")
        try makeTask(
            identifier, type: type, argv: argv, config: config, policies: policies, client: client)
        let execution = try run(identifier, client: client)
        try waitForEnd(of: execution, events: events)
        return try record(of: execution, client: client)
    }
}
