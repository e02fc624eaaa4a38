// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import BusClient
import Testing
import ZeroMQ

@testable import BusServer

/// Which subscriptions exist, and what becomes of the others.
@Suite(.serialized)
struct SubscriptionTests {
    @Test(arguments: [
        ("", SubscriptionChange.begin("")), ("scheduler.event.", .begin("scheduler.event.")),
        ("sched", .begin("sched")), ("scheduler.event.health", .begin("scheduler.event.health")),
        ("scheduler.event.healthy", .unknown), ("scheduler.task.", .unknown), ("\u{1}", .unknown),
        (String(repeating: "s", count: 400), .unknown),
    ])
    func onlyAPrefixOfAnEventIsOne(prefix: String, expected: SubscriptionChange) {
        #expect(SubscriptionChange([[1] + Array(prefix.utf8)]) == expected)
        let end = SubscriptionChange([[0] + Array(prefix.utf8)])
        #expect(end == (expected == .unknown ? .nothing : .end(prefix)))
    }

    @Test(arguments: [[], [[]], [[2]], [[1], [1]]] as [[[UInt8]]])
    func whatIsNoSubscriptionIsAViolation(frames: [[UInt8]]) {
        #expect(SubscriptionChange(frames) == .violation)
    }

    @Test func aConnectionBeyondItsBoundsIsClosedOnce() {
        var limits = BusServer.Limits()
        limits.refusedSubscriptions = 2
        limits.subscriptionChanges = 5
        var counts = SubscriptionCounts(limits: limits)
        let verdicts = (0..<4).map { _ in
            counts.judge(.unknown, by: Peer(serial: 3, name: "greedy", connection: 3))
        }
        #expect(verdicts == [.refuse, .refuse, .close, .ignore])
        let changes = (0..<7).map { _ in
            counts.judge(.begin(""), by: Peer(serial: 4, name: "good", connection: 4))
        }
        #expect(changes == [.accept, .accept, .accept, .accept, .accept, .close, .ignore])
        let violation = counts.judge(.violation, by: Peer(serial: 5, name: "odd", connection: 5))
        #expect(violation == .close)
        counts.settle { $0.name != "odd" }
        #expect(counts.count == 2, "what is closed and still there is remembered")
        let ignored = counts.judge(.begin(""), by: Peer(serial: 3, name: "greedy", connection: 3))
        #expect(ignored == .ignore)
        counts.settle { _ in false }
        #expect(counts.count == 0)
    }

    @Test func aRefusedSubscriptionIsRememberedAndABurstIsNot() {
        var limits = BusServer.Limits()
        limits.refusedSubscriptions = 1
        limits.subscriptionChanges = 2
        var counts = SubscriptionCounts(limits: limits)
        let first = counts.judge(.unknown, by: Peer(serial: 3, name: "a", connection: 3))
        #expect(first == .refuse)
        for _ in 0..<4 {
            counts.settle { _ in true }
            let later = counts.judge(.begin(""), by: Peer(serial: 3, name: "a", connection: 3))
            #expect(later == .accept)
        }
        let last = counts.judge(.unknown, by: Peer(serial: 3, name: "a", connection: 3))
        #expect(last == .close)
    }

    @Test func aRefusalIsNotInheritedWithTheDescriptor() {
        var limits = BusServer.Limits()
        limits.refusedSubscriptions = 1
        var counts = SubscriptionCounts(limits: limits)
        for serial in 1...20 as ClosedRange<UInt64> {
            // The same client, and the same number of its connection.
            let verdict = counts.judge(
                .unknown, by: Peer(serial: serial, name: "a", connection: 9))
            #expect(verdict == .refuse)
            counts.settle { _ in true }
        }
    }

    @Test func eventsComeToThoseWhoSubscribedAndNoOthers() throws {
        let bus = try ServedBus()
        defer { bus.end() }
        let client = try bus.client("good")
        try client.subscribe(prefix: "scheduler.event.h")
        let deaf = try bus.socket(.subscriber, as: "other")
        try deaf.subscribe(prefix: "scheduler.event.execution.")
        #expect(try deaf.wait(timeout: .seconds(10)))
        #expect(
            try BusEvent(frames: try #require(try deaf.receive())).subscribedPrefix
                == "scheduler.event.execution.")
        _ = try client.request(topic: "publish", body: [:])
        let event = try #require(try client.nextEvent(timeout: .seconds(10)))
        #expect(event.topic == BusEventTopic.health.rawValue)
        #expect(try deaf.receive() == nil)
    }

    @Test func aSubscriptionThatEndsBringsNothingMore() throws {
        let bus = try ServedBus()
        defer { bus.end() }
        let subscriber = try bus.socket(.subscriber, as: "other")
        let client = try bus.client("good")
        try subscriber.subscribe(prefix: "scheduler.event.health")
        #expect(try subscriber.wait(timeout: .seconds(10)))
        _ = try subscriber.receive()
        try subscriber.unsubscribe(prefix: "scheduler.event.health")
        // The answer to the next subscription says that the end before it has arrived.
        try subscriber.subscribe(prefix: "scheduler.event.worker")
        #expect(try subscriber.wait(timeout: .seconds(10)))
        _ = try subscriber.receive()
        _ = try client.request(topic: "publish", body: [:])
        #expect(try !subscriber.wait(timeout: .milliseconds(200)))
    }

    @Test func anUnknownPrefixIsRefusedAndCounted() throws {
        let bus = try ServedBus()
        defer { bus.end() }
        let subscriber = try bus.socket(.subscriber, as: "other")
        try subscriber.subscribe(prefix: "scheduler.secret.")
        try subscriber.subscribe(prefix: "scheduler.event.")
        #expect(try subscriber.wait(timeout: .seconds(10)))
        let event = try BusEvent(frames: try #require(try subscriber.receive()))
        #expect(event.subscribedPrefix == "scheduler.event.")
        // One more turn: the incident is counted within the turn of the event.
        _ = try bus.client("good").request(topic: "echo", body: [:])
        #expect(bus.incidents("other bus.subscription_refused") == 1)
    }

    @Test(arguments: [8, 250])
    func halfAMillionSubscriptionsBlockNobodyAndFillNoMemory(length: Int) throws {
        let bus = try ServedBus()
        defer { bus.end() }
        let client = try bus.client("good")
        try client.subscribe()
        _ = try Measure.requests(client, count: 20)
        let before = try Measure.residentBytes()
        let greedy = Background {
            // An XPUB's peer may write its subscriptions by hand: nothing is kept on this side.
            let subscriber = try bus.socket(.xsub, as: "greedy", queue: 100)
            var number = 0
            return {
                let tail = String(number, radix: 36)
                let frame =
                    Array(("\u{1}" + tail).utf8)
                    + (0..<length).map { _ in UInt8.random(in: 0...255) }
                if try !subscriber.send([frame]) {
                    _ = try subscriber.wait(for: .writable, timeout: .milliseconds(10))
                }
                number += 1
            }
        }
        let delays = try Measure.requests(client, count: 8000)
        greedy.end()
        let growth = try Measure.residentBytes() - before
        print("half a million subscriptions: p99 \(delays[7920])")
        #expect(delays[7920] < .milliseconds(100))
        #expect(growth < 160 << 20)
        #expect(bus.incidents("greedy bus.subscription_flood") > 0)
        _ = try client.request(topic: "publish", body: [:])
        #expect(try client.nextEvent(timeout: .seconds(10)) != nil)
    }

    /// While what it sent is read, nobody else's subscription can be taken.
    @Test func aKeyThatSendsWhatIsNoSubscriptionStaysOutsideForAWhile() throws {
        let bus = try ServedBus()
        defer { bus.end() }
        let former = try bus.client("greedy")
        try former.subscribe()
        let odd = try bus.socket(.xsub, as: "greedy")
        try odd.send([Array("hello".utf8)], nonblocking: false)
        // The key's other connections end with it.
        #expect(throws: BusError.self) { try former.nextEvent(timeout: .seconds(10)) }
        let error = #expect(throws: BusError.self) { try bus.client("greedy").subscribe() }
        #expect(error?.code == .unavailable)
        // Neither its requests nor other keys are concerned.
        _ = try bus.client("greedy").request(topic: "echo", body: [:])
        try bus.client("other").subscribe()
    }

    @Test func aKeyThatDidItComesBackAfterTwentySeconds() {
        var violations = Violations()
        #expect(!violations.bars("a", at: .seconds(100)))
        violations.note("a", at: .seconds(100))
        #expect(violations.bars("a", at: .seconds(119)))
        #expect(!violations.bars("b", at: .seconds(119)))
        violations.note("a", at: .seconds(110))
        #expect(violations.bars("a", at: .seconds(129)))
        #expect(!violations.bars("a", at: .seconds(130)))
    }

    @Test func aMessageThatIsNoSubscriptionEndsItsConnectionOnly() throws {
        let bus = try ServedBus()
        defer { bus.end() }
        let client = try bus.client("good")
        try client.subscribe()
        let odd = try bus.socket(.xsub, as: "greedy")
        try odd.send([Array("hello".utf8)], nonblocking: false)
        let late = try bus.socket(.subscriber, as: "other")
        try late.subscribe(prefix: "scheduler.event.")
        #expect(try late.wait(timeout: .seconds(10)))
        _ = try client.request(topic: "publish", body: [:])
        #expect(try client.nextEvent(timeout: .seconds(10))?.topic == BusEventTopic.health.rawValue)
    }
}
