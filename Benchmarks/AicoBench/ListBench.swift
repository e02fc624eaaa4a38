// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import BusClient
import Dispatch
import Synchronization

/// What a page of `scheduler.task.list` costs among few tasks and among many.
struct ListBench {
    private static let few = 1000
    private static let many = 100_000
    private static let page = 500
    private static let clients = 8

    let arguments: BenchArguments

    init(_ arguments: BenchArguments) { self.arguments = arguments }

    func run(into report: inout BenchReport) throws {
        let system = try BenchSystem(arguments)
        defer { system.stop() }
        try system.start()
        let client = try system.client()
        try fill(0..<Self.few, system)
        let before = try pages(client, from: [0, Self.few / 2])
        try fill(Self.few..<Self.many, system)
        let after = try pages(client, from: [0, Self.many / 2, Self.many - Self.page])
        report.add("page of \(Self.page) among \(Self.few) tasks, p50", before.median, "ms")
        report.add("page of \(Self.page) among \(Self.many) tasks, p50", after.median, "ms")
        report.add("the same, p99", after.percentile(0.99), "ms")
        report.add("the same, ratio of p50", after.median / before.median, "", atMost: 3)
        var all = 0
        var cursor: String?
        let whole = try milliseconds {
            repeat {
                let reply = try list(client, after: cursor)
                all += reply["tasks"]?.array?.count ?? 0
                cursor = reply["next"]?.string
            } while cursor != nil
        }
        report.add("all pages of \(Self.many) tasks", whole, "ms")
        guard all > Self.many else { throw BenchError("the pages have \(all) tasks") }
    }

    private static func name(_ number: Int) -> String {
        "user.t" + String(String(number + 10_000_000).dropFirst())
    }

    /// Makes tasks over several connections: requests that come together share a commit.
    private func fill(_ numbers: Range<Int>, _ system: BenchSystem) throws {
        let clients = try (0..<Self.clients).map { _ in Handed(client: try system.client()) }
        let failure = Mutex<(any Error)?>(nil)
        DispatchQueue.concurrentPerform(iterations: clients.count) { index in
            do {
                for number in stride(
                    from: numbers.lowerBound + index, to: numbers.upperBound, by: clients.count)
                {
                    _ = try clients[index].client.request(
                        topic: "scheduler.task.create",
                        body: [
                            "id": .string(Self.name(number)),
                            "schedule": "at:2999-01-01T00:00:00Z",
                            "config": ["argv": ["/bin/true"]],
                        ])
                }
            } catch {
                failure.withLock { $0 = error }
            }
        }
        if let error = failure.withLock({ $0 }) { throw error }
    }

    /// A client that one thread has to itself.
    private struct Handed: @unchecked Sendable {
        var client: BusClient
    }

    /// Fifty pages from each of some places, in turns.
    private func pages(_ client: BusClient, from places: [Int]) throws -> Samples {
        var samples = Samples()
        for _ in 0..<50 {
            for place in places {
                var reply: JSONValue = .null
                samples.values.append(
                    try milliseconds {
                        reply = try list(client, after: place == 0 ? nil : Self.name(place - 1))
                    })
                guard reply["tasks"]?.array?.count == Self.page else {
                    throw BenchError("a page has \(reply["tasks"]?.array?.count ?? 0) tasks")
                }
            }
        }
        return samples
    }

    private func list(_ client: BusClient, after: String?) throws -> JSONValue {
        try client.request(
            topic: "scheduler.task.list",
            body: ["limit": .int(Self.page), "after": after.map { .string($0) } ?? .null])
    }
}
