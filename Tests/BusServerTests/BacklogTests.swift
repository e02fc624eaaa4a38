// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Testing

@testable import BusServer

/// The bounds of what connections are owed, without sockets.
struct BacklogTests {
    private static let first: [UInt8] = [0, 1]
    private static let second: [UInt8] = [0, 2]

    private static func limits(
        outstanding: Int = 2, replies: Int = 2, bytes: Int = 100, total: Int = 150,
        refusals: Int = 2, totalRefusals: Int = 3
    ) -> BusServer.Limits {
        var limits = BusServer.Limits()
        limits.outstanding = outstanding
        limits.replies = replies
        limits.replyBytes = bytes
        limits.totalReplyBytes = total
        limits.refusals = refusals
        limits.totalRefusals = totalRefusals
        return limits
    }

    private static func request(_ id: String) -> RefusedRequest {
        RefusedRequest(id: id, topic: "echo")
    }

    private static func reply(_ size: Int) -> [[UInt8]] { [[UInt8](repeating: 0, count: size)] }

    @Test func requestsInWorkAreBounded() {
        var backlogs = Backlogs(limits: Self.limits())
        let isTaken1 = backlogs.admit(Self.first, connection: 1)
        #expect(isTaken1)
        let isTaken2 = backlogs.admit(Self.first, connection: 1)
        #expect(isTaken2)
        let isTaken3 = backlogs.admit(Self.first, connection: 1)
        #expect(!isTaken3)
        let isTaken4 = backlogs.admit(Self.second, connection: 2)
        #expect(isTaken4)
        backlogs.answered(Self.first)
        let isTaken5 = backlogs.admit(Self.first, connection: 1)
        #expect(isTaken5)
    }

    @Test func aConnectionThatIsOwedNothingIsNotRemembered() {
        var backlogs = Backlogs(limits: Self.limits())
        let isTaken6 = backlogs.admit(Self.first, connection: 1)
        #expect(isTaken6)
        backlogs.answered(Self.first)
        #expect(backlogs.count == 0)
    }

    @Test func repliesAreBoundedByNumberBytesAndTotal() {
        var backlogs = Backlogs(limits: Self.limits())
        let fates = [60, 50, 40, 1].map { size in
            backlogs.keep(Self.reply(size), for: Self.first) { Self.request("\(size)") }
        }
        #expect(fates == [.kept, .refused, .kept, .refused])
        #expect(backlogs.bytes == 100)
        let others = [60, 50].map { size in
            backlogs.keep(Self.reply(size), for: Self.second) { Self.request("x") }
        }
        #expect(others == [.refused, .kept])
    }

    @Test func whatWaitsLeavesInOrderAndRefusalsLast() {
        var backlogs = Backlogs(limits: Self.limits())
        for size in [60, 50, 40] {
            _ = backlogs.keep(Self.reply(size), for: Self.first) { Self.request("\(size)") }
        }
        var left: [[[UInt8]]] = []
        while let next = backlogs.next(Self.first) {
            left.append(next)
            backlogs.sent(Self.first)
        }
        #expect(left == [Self.reply(60), Self.reply(40), Self.request("50").frames])
        #expect(backlogs.bytes == 0)
        #expect(backlogs.refusals == 0)
        #expect(backlogs.waiting.isEmpty)
        #expect(backlogs.count == 0)
    }

    @Test func beyondTheRefusalsTheConnectionEndsAndHoldsNothing() {
        var backlogs = Backlogs(limits: Self.limits())
        _ = backlogs.keep(Self.reply(60), for: Self.first) { Self.request("a") }
        let fates = (0..<4).map { number in
            backlogs.refuse(Self.first, connection: 7) { Self.request("\(number)") }
        }
        #expect(fates.dropLast(2) == [.refused, .refused])
        #expect(fates.last == .dropped)
        #expect(backlogs.bytes == 0)
        #expect(backlogs.refusals == 0)
        let isTaken7 = backlogs.admit(Self.first, connection: 7)
        #expect(!isTaken7)
        backlogs.forget(Self.first)
        #expect(backlogs.count == 0)
        #expect(backlogs.waiting.isEmpty)
    }

    @Test func theConnectionThatIsToEndIsNamed() {
        var backlogs = Backlogs(limits: Self.limits(refusals: 0))
        let isTaken8 = backlogs.admit(Self.first, connection: 7)
        #expect(isTaken8)
        let fate = backlogs.refuse(Self.first, connection: 7) { Self.request("a") }
        #expect(fate == .close(7))
    }

    @Test func refusalsOfAllAreBounded() {
        var backlogs = Backlogs(limits: Self.limits())
        for id in [Self.first, Self.first, Self.second] {
            let fate = backlogs.refuse(id, connection: 1) { Self.request("a") }
            #expect(fate == .refused)
        }
        let fate = backlogs.refuse(Self.second, connection: 2) { Self.request("a") }
        #expect(fate == .close(1))
        #expect(backlogs.refusals == 2)
    }
}
