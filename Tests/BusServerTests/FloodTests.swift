// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import BusClient
import BusServer
import Testing
import ZeroMQ

/// Clients with an admitted key that send without measure.
@Suite(.serialized)
struct FloodTests {
    private static let large = BusRequest(
        id: "large", topic: "echo", body: ["x": .string(String(repeating: "x", count: 250_000))])
    private static let small = BusRequest(id: "small", topic: "echo")
    /// Replies of 250 kB to short requests, so that they and not the requests fill memory.
    private static let blob = BusRequest(id: "blob", topic: "blob", body: ["bytes": 250_000])

    @Test(arguments: [large, small, blob])
    func aClientThatNeverReadsDelaysNobodyAndFillsNoMemory(_ request: BusRequest) throws {
        let bus = try ServedBus()
        defer { bus.end() }
        let client = try bus.client("good")
        _ = try Measure.requests(client, count: 20)
        let before = try Measure.residentBytes()
        let frames = request.frames
        let greedy = Background {
            let dealer = try bus.socket(.dealer, as: "greedy")
            return {
                if try !dealer.send(frames) {
                    _ = try dealer.wait(for: .writable, timeout: .milliseconds(10))
                }
            }
        }
        var delays: [Duration] = []
        let deadline = ContinuousClock.now + .seconds(20)
        // Until the greedy one was served as well, beside the 20 of above.
        while delays.count < 300 || bus.seen.requests <= delays.count + 20, .now < deadline {
            delays += try Measure.requests(client, count: 50)
        }
        delays.sort()
        let growth = try Measure.residentBytes() - before
        greedy.end()
        print("flood of \(request.id): p99 \(delays[delays.count * 99 / 100])")
        #expect(delays[delays.count * 99 / 100] < .milliseconds(100))
        #expect(growth < 160 << 20)
        #expect(bus.seen.requests > delays.count + 20)
    }

    @Test func fiftyThousandUnreadRequestsEndTheirConnectionAndAreCounted() throws {
        let bus = try ServedBus()
        defer { bus.end() }
        let dealer = try bus.socket(.dealer, as: "greedy")
        let frames = Self.small.frames
        // Its own libzmq notices the end of the connection only when it reads, and sends no more.
        for _ in 0..<50_000 where bus.seen.incidents["greedy bus.flood"] == nil {
            if try !dealer.send(frames) {
                _ = try dealer.wait(for: .writable, timeout: .milliseconds(10))
            }
        }
        let client = try bus.client("good")
        #expect(try client.request(topic: "echo", body: [:])["bytes"] != nil)
        #expect(bus.incidents("greedy bus.flood") > 0)
        #expect(bus.seen.incidents["good bus.flood"] == nil)
    }

    @Test func eachRequestOfAClientThatReadsLateHasItsReply() throws {
        let bus = try ServedBus()
        defer { bus.end() }
        let dealer = try bus.socket(.dealer, as: "greedy")
        let count = 4500
        for number in 0..<count {
            let request = BusRequest(id: "\(number)", topic: "blob", body: ["bytes": 20_000])
            while try !dealer.send(request.frames) {
                _ = try dealer.wait(for: .writable, timeout: .milliseconds(10))
            }
        }
        var served: Set<String> = []
        var refused: Set<String> = []
        while served.count + refused.count < count {
            try #require(try dealer.wait(timeout: .seconds(10)))
            let reply = try BusReply(frames: try #require(try dealer.receive()))
            switch reply.outcome {
            case .success: served.insert(reply.id)
            case .failure(let refusal):
                #expect(refusal.code == "unavailable")
                #expect(refusal.message.contains("read the replies first"))
                refused.insert(reply.id)
            }
        }
        #expect(served.count >= 64)
        #expect(!refused.isEmpty)
        #expect(served.isDisjoint(with: refused))
        // It is served again as soon as it has read.
        try dealer.send(Self.small.frames)
        try #require(try dealer.wait(timeout: .seconds(10)))
        let last = try BusReply(frames: try #require(try dealer.receive()))
        #expect(throws: Never.self) { try last.outcome.get() }
    }

    @Test func aConnectionThatIsGoneIsForgotten() throws {
        // Each goes unnoticed until what it sent is read.
        var limits = BusServer.Limits()
        limits.clientConnections = 32
        let bus = try ServedBus(limits: limits)
        defer { bus.end() }
        let before = try Measure.residentBytes()
        for _ in 0..<20 {
            let dealer = try bus.socket(.dealer, as: "greedy")
            for _ in 0..<100 {
                while try !dealer.send(Self.blob.frames) {
                    _ = try dealer.wait(for: .writable, timeout: .milliseconds(10))
                }
            }
        }
        // 20 times 16 MiB, were they kept.
        #expect(try Measure.residentBytes() - before < 160 << 20)
        #expect(try bus.client("good").request(topic: "echo", body: [:])["bytes"] != nil)
    }

    @Test func aReplyBeyondTheBoundBecomesARefusal() throws {
        let bus = try ServedBus()
        defer { bus.end() }
        let client = try bus.client("good")
        do {
            _ = try client.request(topic: "blob", body: ["bytes": .int(9 << 20)])
            Issue.record("it came through")
        } catch {
            #expect(error.code == .tooLarge)
            #expect(error.hint.contains("limit"))
        }
        #expect(
            try client.request(topic: "blob", body: ["bytes": .int(4 << 20)]).string?.utf8.count
                == 4 << 20)
    }

    @Test func aFrameBeyondAllBoundsEndsItsConnectionOnly() throws {
        let bus = try ServedBus()
        defer { bus.end() }
        let dealer = try bus.socket(.dealer, as: "greedy")
        try dealer.send(Array("echo".utf8), [UInt8](repeating: 0x20, count: (1 << 20) + 1))
        #expect(try bus.client("good").request(topic: "echo", body: [:])["bytes"] != nil)
        #expect(try dealer.receive() == nil)
    }
}

extension BusRequest: CustomTestStringConvertible {
    /// The request's id, which tells the cases apart.
    public var testDescription: String { id }
}
