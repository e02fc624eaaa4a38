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

    private static func peer(_ number: Int, name: String = "a") -> Peer {
        Peer(serial: UInt64(number), name: name, connection: Int32(number))
    }

    private static func request(_ id: String) -> RefusedRequest {
        RefusedRequest(id: id, topic: "echo")
    }

    private static func reply(_ size: Int) -> [[UInt8]] { [[UInt8](repeating: 0, count: size)] }

    @Test func requestsInWorkAreBounded() {
        var backlogs = Backlogs(limits: Self.limits())
        let isTaken1 = backlogs.admit(Self.first, Self.peer(1), bytes: 1)
        #expect(isTaken1)
        let isTaken2 = backlogs.admit(Self.first, Self.peer(1), bytes: 1)
        #expect(isTaken2)
        let isTaken3 = backlogs.admit(Self.first, Self.peer(1), bytes: 1)
        #expect(!isTaken3)
        let isTaken4 = backlogs.admit(Self.second, Self.peer(2), bytes: 1)
        #expect(isTaken4)
        backlogs.answered(Self.first, Self.peer(1), bytes: 1)
        let isTaken5 = backlogs.admit(Self.first, Self.peer(1), bytes: 1)
        #expect(isTaken5)
    }

    @Test func aConnectionThatIsOwedNothingIsNotRemembered() {
        var backlogs = Backlogs(limits: Self.limits())
        let isTaken6 = backlogs.admit(Self.first, Self.peer(1), bytes: 1)
        #expect(isTaken6)
        backlogs.answered(Self.first, Self.peer(1), bytes: 1)
        #expect(backlogs.count == 0)
    }

    @Test func repliesAreBoundedByNumberAndBytes() {
        var backlogs = Backlogs(limits: Self.limits())
        let fates = [60, 50, 40, 1].map { size in
            backlogs.keep(Self.reply(size), for: Self.first, Self.peer(1)) {
                Self.request("\(size)")
            }
        }
        #expect(fates == [.kept, .refused, .kept, .refused])
        #expect(backlogs.bytes == 100)
        #expect(backlogs.refusals == 2)
    }

    @Test func requestsInWorkAreBoundedByBytes() {
        var limits = Self.limits(outstanding: 100)
        limits.outstandingBytes = 10
        var backlogs = Backlogs(limits: limits)
        let taken = (0..<4).map { _ in backlogs.admit(Self.first, Self.peer(1), bytes: 4) }
        #expect(taken == [true, true, true, false])
        backlogs.answered(Self.first, Self.peer(1), bytes: 4)
        let isTaken = backlogs.admit(Self.first, Self.peer(1), bytes: 4)
        #expect(isTaken)
    }

    @Test func whatLibzmqHoldsCountsUntilItIsReadOrPushedOut() {
        var limits = Self.limits(bytes: 300_000, total: 1_000_000)
        limits.queueLength = 2
        limits.handedBytes = 100_000
        var backlogs = Backlogs(limits: limits)
        var isRead = false
        func mayHand(_ backlogs: inout Backlogs) -> Bool {
            backlogs.mayHand(60_000, to: Self.first) { _ in isRead }
        }
        // Short ones are not worth remembering.
        backlogs.handed(100, to: Self.first, Self.peer(1))
        #expect(backlogs.count == 0)
        let isFirst = mayHand(&backlogs)
        #expect(isFirst)
        backlogs.handed(60_000, to: Self.first, Self.peer(1))
        #expect(backlogs.bytes == 60_000)
        let isSecond = mayHand(&backlogs)
        #expect(!isSecond, "two would be more than libzmq may have for one connection")
        // It counts with what waits.
        let fate = backlogs.keep(Self.reply(250_000), for: Self.first, Self.peer(1)) {
            Self.request("x")
        }
        #expect(fate == .refused)
        isRead = true
        let isRoom = mayHand(&backlogs)
        #expect(isRoom)
        #expect(backlogs.bytes == 0)
        backlogs.handed(60_000, to: Self.first, Self.peer(1))
        for _ in 0..<2 { backlogs.handed(1, to: Self.first, Self.peer(1)) }
        #expect(backlogs.bytes == 60_000)
        backlogs.handed(1, to: Self.first, Self.peer(1))
        #expect(backlogs.bytes == 0)
    }

    @Test func beyondTheTotalTheClientThatIsOwedMostIsClosed() {
        var backlogs = Backlogs(limits: Self.limits(bytes: 100, total: 150))
        // One large reply of a good client, and a greedy one's over many connections.
        _ = backlogs.keep(Self.reply(70), for: Self.second, Self.peer(2, name: "good")) {
            Self.request("x")
        }
        var closed: [Peer] = []
        for number in 3...6 {
            _ = backlogs.keep(
                Self.reply(30 + number), for: [0, UInt8(number)], Self.peer(number, name: "greedy")
            ) { Self.request("x") }
            if let peer = backlogs.closeHeaviest(isRead: { _ in false }) { closed.append(peer) }
        }
        #expect(closed == [Self.peer(5, name: "greedy"), Self.peer(6, name: "greedy")])
        #expect(backlogs.bytes == 70 + 33 + 34)
        #expect(!backlogs.isClosed(Self.second))
        backlogs.forget(Self.peer(5, name: "greedy"))
        #expect(backlogs.peer(of: [0, 5]) == nil)
    }

    @Test func aRoutingIDThatComesAgainOwesNothingToTheFormerOne() {
        var backlogs = Backlogs(limits: Self.limits(outstanding: 1))
        let isTaken = backlogs.admit(Self.first, Self.peer(1), bytes: 1)
        #expect(isTaken)
        let isOthers = backlogs.admit(Self.first, Self.peer(2), bytes: 1)
        #expect(isOthers)
        backlogs.answered(Self.first, Self.peer(1), bytes: 1)
        let isFurther = backlogs.admit(Self.first, Self.peer(2), bytes: 1)
        #expect(!isFurther, "the former one's answer gives the other no place")
    }

    @Test func whatWaitsLeavesInOrderAndRefusalsLast() {
        var backlogs = Backlogs(limits: Self.limits())
        for size in [60, 50, 40] {
            _ = backlogs.keep(Self.reply(size), for: Self.first, Self.peer(1)) {
                Self.request("\(size)")
            }
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
        _ = backlogs.keep(Self.reply(60), for: Self.first, Self.peer(7)) { Self.request("a") }
        let fates = (0..<4).map { number in
            backlogs.refuse(Self.first, Self.peer(7)) { Self.request("\(number)") }
        }
        #expect(fates.dropLast(2) == [.refused, .refused])
        #expect(fates.last == .dropped)
        #expect(backlogs.bytes == 0)
        #expect(backlogs.refusals == 0)
        let isTaken7 = backlogs.admit(Self.first, Self.peer(7), bytes: 1)
        #expect(!isTaken7)
        backlogs.forget(Self.first)
        #expect(backlogs.count == 0)
        #expect(backlogs.waiting.isEmpty)
    }

    @Test func theConnectionThatIsToEndIsNamed() {
        var backlogs = Backlogs(limits: Self.limits(refusals: 0))
        let isTaken8 = backlogs.admit(Self.first, Self.peer(7), bytes: 1)
        #expect(isTaken8)
        let fate = backlogs.refuse(Self.first, Self.peer(7)) { Self.request("a") }
        #expect(fate == .close(Self.peer(7)))
    }

    @Test func refusalsOfAllAreBounded() {
        var backlogs = Backlogs(limits: Self.limits())
        for id in [Self.first, Self.first, Self.second] {
            let fate = backlogs.refuse(id, Self.peer(id == Self.first ? 1 : 2)) {
                Self.request("a")
            }
            #expect(fate == .refused)
        }
        let fate = backlogs.refuse(Self.second, Self.peer(2)) { Self.request("a") }
        #expect(fate == .close(Self.peer(2)))
        #expect(backlogs.refusals == 2)
    }
}
