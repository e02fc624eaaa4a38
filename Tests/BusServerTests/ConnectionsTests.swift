// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Testing

@testable import BusServer

/// Whose each connection is, and who has to leave, without sockets.
struct ConnectionsTests {
    private var generator = SystemRandomNumberGenerator()

    private static func connections(all: Int = 4, one: Int = 2) -> Connections {
        var limits = BusServer.Limits()
        limits.connections = all
        limits.clientConnections = one
        return Connections(limits: limits)
    }

    private static func peer(_ serial: UInt64?, _ descriptor: Int32, _ name: String = "a") -> Peer {
        Peer(serial: serial ?? 0, name: name, connection: descriptor)
    }

    /// Lets a client in and hears from it.
    private mutating func enter(
        _ connections: inout Connections, _ descriptor: Int32, _ name: String = "a"
    ) -> Peer? {
        _ = connections.accepted(descriptor, at: .zero, using: &generator)
        guard let serial = connections.admit(name, at: .zero) else { return nil }
        let peer = Self.peer(serial, descriptor, name)
        let step1 = connections.spoke(peer)
        #expect(step1)
        return peer
    }

    private mutating func entered(
        _ connections: inout Connections, _ descriptor: Int32, _ name: String = "a"
    ) throws -> Peer {
        let peer = enter(&connections, descriptor, name)
        return try #require(peer)
    }

    @Test mutating func aKeyHasSoManyConnectionsAndOneMoreWhenOneEnds() {
        var connections = Self.connections()
        let first = enter(&connections, 5)
        #expect(first != nil)
        let step2 = enter(&connections, 6)
        #expect(step2 != nil)
        let step3 = enter(&connections, 7)
        #expect(step3 == nil)
        let step4 = enter(&connections, 8, "b")
        #expect(step4 != nil)
        let step5 = connections.ended(5)
        #expect(step5 == first)
        #expect(connections.count(of: "a") == 1)
        let step6 = enter(&connections, 5)
        #expect(step6 != nil)
    }

    @Test mutating func oneThatSaysNothingCountsUntilItsTimeIsOver() {
        var connections = Self.connections(one: 1)
        let step7 = connections.accepted(5, at: .zero, using: &generator)
        #expect(step7 == nil)
        let step8 = connections.admit("a", at: .zero)
        #expect(step8 != nil)
        let step9 = connections.admit("a", at: .zero)
        #expect(step9 == nil)
        let step10 = connections.expire(at: Connections.patience)
        #expect(step10 == [])
        let step11 = connections.admit("a", at: Connections.patience)
        #expect(step11 == nil)
        let later = Connections.patience + .seconds(1)
        let step12 = connections.expire(at: later)
        #expect(step12 == [5])
        let step13 = connections.admit("a", at: later)
        #expect(step13 != nil)
    }

    @Test mutating func whoSpokeStays() throws {
        var connections = Self.connections()
        let peer = try entered(&connections, 5)
        let step14 = connections.expire(at: .seconds(3600))
        #expect(step14 == [])
        #expect(connections.holds(peer))
        #expect(connections.count(of: "a") == 1)
    }

    @Test mutating func whereAllPlacesAreTakenOneThatSaidNothingLeaves() {
        var connections = Self.connections(all: 3, one: 8)
        for descriptor in 5...6 as ClosedRange<Int32> {
            let step15 = enter(&connections, descriptor)
            #expect(step15 != nil)
        }
        let step16 = connections.accepted(7, at: .zero, using: &generator)
        #expect(step16 == nil)
        let leaving = connections.accepted(8, at: .zero, using: &generator)
        #expect(leaving == 7 || leaving == 8)
        _ = connections.ended(7)
        let step17 = enter(&connections, 8)
        #expect(step17 != nil)
        let step18 = connections.accepted(9, at: .zero, using: &generator)
        #expect(step18 == 9)
    }

    @Test mutating func aMessageThatComesAfterItsConnectionCountsForNobodyElse() throws {
        var connections = Self.connections()
        let step19 = connections.accepted(5, at: .zero, using: &generator)
        #expect(step19 == nil)
        let former = Self.peer(connections.admit("a", at: .zero), 5)
        let step20 = connections.ended(5)
        #expect(step20 == nil)
        // The number is another's by now.
        let other = try entered(&connections, 5, "b")
        let step21 = connections.spoke(former)
        #expect(!step21)
        #expect(connections.holds(other))
        #expect(connections.count(of: "a") == 0)
        #expect(connections.count(of: "b") == 1)
    }

    @Test mutating func theFirstMessageOfALaterOneCorrectsTheFormer() {
        var connections = Self.connections()
        _ = connections.accepted(5, at: .zero, using: &generator)
        let former = Self.peer(connections.admit("a", at: .zero), 5)
        _ = connections.ended(5)
        _ = connections.accepted(5, at: .zero, using: &generator)
        let other = Self.peer(connections.admit("b", at: .zero), 5, "b")
        _ = connections.spoke(former)
        let step22 = connections.spoke(other)
        #expect(step22)
        #expect(connections.holds(other))
        #expect(connections.count(of: "a") == 0)
        let step23 = connections.ended(5)
        #expect(step23 == other)
        #expect(connections.count(of: "b") == 0)
        #expect(connections.count == 0)
    }

    @Test func aUserIDNamesTheClientAndTheAdmission() {
        #expect(
            Peer(userID: Peer.userID(serial: 17, name: "night_watch"), connection: 5)
                == Peer(serial: 17, name: "night_watch", connection: 5))
        #expect(Peer(userID: "night_watch", connection: 5) == nil)
    }
}
