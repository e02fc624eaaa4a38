// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import BusClient
import BusServer
import Testing
import ZeroMQ

/// Clients that open connections, or messages, without end.
@Suite(.serialized)
struct CrowdTests {
    @Test func aKeyHasSixteenConnectionsAndTheNextIsTold() throws {
        let bus = try ServedBus()
        defer { bus.end() }
        let clients = try (0..<16).map { _ in try bus.client("greedy") }
        for client in clients { _ = try client.request(topic: "echo", body: [:]) }
        let further = try bus.client("greedy")
        do {
            _ = try further.request(topic: "echo", body: [:])
            Issue.record("it came in")
        } catch {
            #expect(error.code == .unavailable)
            #expect(error.description.contains("as many connections with this key as it may"))
            #expect(error.hint.contains("max_connections_per_client"))
        }
        #expect(bus.incidents("greedy bus.too_many_connections") > 0)
        // Neither those that are in nor another key are concerned.
        _ = try clients[0].request(topic: "echo", body: [:])
        _ = try bus.client("good").request(topic: "echo", body: [:])
    }

    @Test func aConnectionThatEndsGivesItsPlaceBack() throws {
        let bus = try ServedBus()
        defer { bus.end() }
        for _ in 0..<60 { _ = try bus.client("greedy").request(topic: "echo", body: [:]) }
    }

    @Test func thousandsOfConnectionsOfOneKeyDelayNobodyAndFillNoMemory() throws {
        let bus = try ServedBus()
        defer { bus.end() }
        let client = try bus.client("good")
        _ = try Measure.requests(client, count: 20)
        let before = try Measure.residentBytes()
        let greedy = Background {
            var dealers: [ZMQSocket] = []
            let context = try ZMQContext()
            return {
                let dealer = try bus.socket(.dealer, as: "greedy", in: context)
                try dealer.send(BusRequest(id: "x", topic: "echo").frames)
                // Answered while there is room for it, then refused.
                _ = try dealer.wait(timeout: .milliseconds(2))
                dealers.append(dealer)
                if dealers.count > 200 { dealers.removeFirst() }
            }
        }
        let delays = try Measure.requests(client, count: 1000)
        greedy.end()
        #expect(delays[990] < .milliseconds(100))
        print("a crowd of connections: p99 \(delays[990])")
        #expect(try Measure.residentBytes() - before < 160 << 20)
    }

    @Test func heartbeatsOfAllConnectionsOfAKeyDelayNobody() throws {
        let bus = try ServedBus()
        defer { bus.end() }
        let client = try bus.client("good")
        let alone = try Measure.requests(client, count: 500)
        let context = try ZMQContext()
        var beating: [ZMQSocket] = []
        for _ in 0..<16 {
            // As often as libzmq can: each is to be decrypted and answered by the bus's one thread.
            let dealer = try bus.socket(
                .dealer, as: "greedy", heartbeat: .milliseconds(1), in: context)
            try dealer.send(BusRequest(id: "x", topic: "echo").frames)
            try #require(try dealer.wait(timeout: .seconds(10)))
            beating.append(dealer)
        }
        let delays = try Measure.requests(client, count: 3000)
        withExtendedLifetime(beating) {}
        print("heartbeats of 16 connections: p99 \(delays[2970]), without \(alone[495])")
        #expect(delays[2970] < .milliseconds(100))
    }

    @Test(arguments: [true, false])
    func aMessageOfFramesWithoutEndIsCutWhileItComes(isSubscriber: Bool) throws {
        let bus = try ServedBus()
        defer { bus.end() }
        let client = try bus.client("good")
        _ = try Measure.requests(client, count: 20)
        // A libzmq whose socket is closed within such a message may abort: this one is kept until its
        // connection has ended and the next one has come.
        var monitor: ZMQMonitor?
        let socket = try bus.socket(isSubscriber ? .xsub : .dealer, as: "greedy") {
            monitor = try ZMQMonitor(of: $0, name: "endless")
        }
        // libzmq sends no frame before it has the last; its own peers see them one by one.
        let frame = [UInt8](repeating: 0x78, count: isSubscriber ? 500 : 60_000)
        try socket.send(Array(repeating: frame, count: isSubscriber ? 5000 : 1000))
        var held = 0
        var delays: [Duration] = []
        let deadline = ContinuousClock.now + .seconds(20)
        while bus.seen.incidents["unknown bus.endless_message"] == nil, .now < deadline {
            delays += try Measure.requests(client, count: 1)
            held = max(held, ZMQInflow.heldBytes)
        }
        delays.sort()
        let events = try #require(monitor)
        var isEnded = false
        while let event = try events.next() ?? Self.event(of: events) {
            if event == .disconnected { isEnded = true }
            if event == .connected, isEnded { break }
        }
        #expect(isEnded)
        #expect(bus.seen.incidents["unknown bus.endless_message"] == 1)
        // Its own bound is 3.6 MiB; other suites' connections count here as well.
        #expect(held < 16 << 20)
        #expect(delays[delays.count * 99 / 100] < .milliseconds(100))
    }

    private static func event(of monitor: ZMQMonitor) throws -> ZMQMonitor.Event? {
        try #require(try monitor.socket.wait(timeout: .seconds(10)))
        return try monitor.next()
    }

    @Test func libzmqGetsTheRecvThatCounts() {
        #expect(ZMQInflow.works)
    }

    @Test func aMessageOfManyFramesThatEndsIsRefusedInWords() throws {
        let bus = try ServedBus()
        defer { bus.end() }
        let dealer = try bus.socket(.dealer, as: "greedy")
        try dealer.send(Array(repeating: Array("x".utf8), count: 1000))
        try #require(try dealer.wait(timeout: .seconds(10)))
        let reply = try BusReply(frames: try #require(try dealer.receive()))
        guard case .failure(let refusal) = reply.outcome else {
            Issue.record("it was served")
            return
        }
        #expect(refusal.code == "malformed")
    }

    @Test func aSubscriberThatLeavesItsEventsUnreadEnds() throws {
        var limits = BusServer.Limits()
        limits.eventBytes = 4 << 20
        let bus = try ServedBus(limits: limits)
        defer { bus.end() }
        let client = try bus.client("good")
        try client.subscribe()
        let deaf = try bus.socket(.subscriber, as: "greedy")
        try deaf.subscribe(prefix: "scheduler.event.")
        try #require(try deaf.wait(timeout: .seconds(10)))
        var count = 0
        let deadline = ContinuousClock.now + .seconds(20)
        while bus.seen.incidents["greedy bus.events_unread"] == nil, .now < deadline {
            _ = try client.request(topic: "publish", body: ["bytes": 60_000])
            let event = try #require(try client.nextEvent(timeout: .seconds(10)))
            #expect(event.topic == BusEventTopic.health.rawValue)
            count += 1
        }
        #expect(bus.seen.incidents["greedy bus.events_unread"] == 1)
        #expect(bus.seen.incidents["good bus.events_unread"] == nil)
        // Twice half of the bound, and what the kernel holds.
        #expect(count < 200)
    }
}
