// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import BusClient
import Glibc

/// The whole system under a temporary root: start, latency, throughput, idleness, memory.
struct SystemBench {
    let arguments: BenchArguments

    init(_ arguments: BenchArguments) { self.arguments = arguments }

    func run(into report: inout BenchReport) throws {
        let system = try BenchSystem(arguments)
        defer { system.stop() }
        report.add("start to first task", try system.startToFirstTask(), "s", atMost: 1)
        try idleness(system, into: &report)
        try status(system, into: &report)
        try latency(system, into: &report)
        try throughput(system, into: &report)
        report.add("memory of all processes (PSS), after", try system.proportionalMemory(), "MB")
    }

    private func idleness(_ system: BenchSystem, into report: inout BenchReport) throws {
        // Start-up work (health check, the baseline of large executables) has to be over.
        try system.restUntilIdle()
        report.add(
            "memory of all processes (PSS), idle", try system.proportionalMemory(), "MB",
            atMost: 50)
        let before = try system.processorTime()
        system.rest(seconds: arguments.seconds)
        let used = try system.processorTime() - before
        report.add(
            "idle CPU of all processes", 100 * used / Double(arguments.seconds), "%", atMost: 0.2)
    }

    /// What a client waits for one answer, asked for one after the other, and what of that is the
    /// transport's: an echo in turn with them.
    private func status(_ system: BenchSystem, into report: inout BenchReport) throws {
        let client = try system.client()
        try system.create("user.asked", schedule: "@yearly", argv: ["/bin/true"])
        _ = try client.request(topic: "scheduler.task.run", body: ["task": "user.asked"])
        let status = BusRequest(
            id: "r1000", topic: "scheduler.task.status", body: ["task": "user.asked"])
        let answer = try client.request(topic: status.topic, body: status.body)
        let echo = try Echo(
            arguments, path: system.path(of: "echo.sock"), request: status.frames,
            answerBytes: BusReply(id: status.id, topic: status.topic, outcome: .success(answer))
                .frames[1].count)
        defer { echo.end() }
        var (asked, stats, echoed) = (Samples(), Samples(), Samples())
        for _ in 0..<3000 {
            asked.values.append(
                try milliseconds {
                    _ = try client.request(topic: status.topic, body: status.body)
                })
            stats.values.append(
                try milliseconds { _ = try client.request(topic: "scheduler.stats", body: [:]) })
            echoed.values.append(try milliseconds { try echo.ask() })
        }
        report.add("scheduler.task.status on the bus, p50", asked.median, "ms")
        report.add("scheduler.stats on the bus, p50", stats.median, "ms")
        report.add("echo of a status on the same transport, p50", echoed.median, "ms")
        report.add("scheduler.task.status / echo", asked.median / echoed.median, "x")
        try system.delete("user.asked")
    }

    /// Ten tasks a second, each alone: from the planned instant to the attempt's first report.
    private func latency(_ system: BenchSystem, into report: inout BenchReport) throws {
        let events = try system.client()
        try events.subscribe(prefix: "scheduler.event.execution.started")
        let names = (0..<5).map { "user.latency-\($0)" }
        for name in names {
            try system.create(name, schedule: "interval:1", argv: ["/bin/true"])
            // Each task's grid begins with its creation: apart from the others'.
            system.rest(milliseconds: 150)
        }
        var samples = Samples()
        let deadline = ContinuousClock.now + .seconds(arguments.seconds)
        while ContinuousClock.now < deadline {
            guard let event = try events.nextEvent(timeout: .seconds(2)) else { continue }
            guard let planned = event.data["planned_at"]?.string.flatMap({ Instant(iso8601: $0) }),
                let started = event.data["at"]?.string.flatMap({ Instant(iso8601: $0) })
            else { throw BenchError("no times in \(event.data.text())") }
            samples.values.append(
                Double(started.microseconds - planned.microseconds) / 1000)
        }
        for name in names { try system.delete(name) }
        report.add("due to first instruction, p50", samples.median, "ms", atMost: 1)
        report.add("due to first instruction, p99", samples.percentile(0.99), "ms", atMost: 5)
    }

    /// Runs asked for as fast as they finish, four tasks at a time per class slot.
    private func throughput(_ system: BenchSystem, into report: inout BenchReport) throws {
        let client = try system.client()
        let events = try system.client()
        try events.subscribe(prefix: "scheduler.event.execution.finished")
        let names = (0..<16).map { "user.load-\($0)" }
        for name in names {
            try system.create(name, schedule: "at:2999-01-01T00:00:00Z", argv: ["/bin/true"])
        }
        var asked = 0
        var finished = 0
        func ask(_ name: String) throws {
            _ = try client.request(
                topic: "scheduler.task.run", body: ["task": .string(name)])
            asked += 1
        }
        let processor = try system.processorTime()
        let clock = ContinuousClock()
        let start = clock.now
        let deadline = start + .seconds(arguments.seconds)
        for name in names { try ask(name) }
        while finished < asked {
            guard let event = try events.nextEvent(timeout: .seconds(10)) else {
                throw BenchError("\(asked - finished) executions did not finish")
            }
            guard let name = event.data["task"]?.string, names.contains(name) else { continue }
            finished += 1
            if clock.now < deadline { try ask(name) }
        }
        let time = (clock.now - start) / .seconds(1)
        report.add("executions, end to end", Double(finished) / time, "1/s", atLeast: 700)
        // What others do on the machine moves this less than the line before.
        report.add(
            "the same, CPU of all that stays for each",
            1000 * (try system.processorTime() - processor) / Double(finished), "ms")
        var stored = 0
        for name in names {
            let stats = try client.request(
                topic: "scheduler.stats", body: ["task": .string(name)])
            stored += stats["outcomes"]?["succeeded"]?.int ?? 0
        }
        report.add("executions lost", Double(asked - stored), "", atMost: 0)
    }
}
