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
        let isHeard = connections.spoke(peer)
        #expect(isHeard)
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
        let second = enter(&connections, 6)
        #expect(second != nil)
        let third = enter(&connections, 7)
        #expect(third == nil)
        let others = enter(&connections, 8, "b")
        #expect(others != nil)
        let ended = connections.ended(5)
        #expect(ended == first)
        #expect(connections.count(of: "a") == 1)
        let replaced = enter(&connections, 5)
        #expect(replaced != nil)
    }

    @Test mutating func oneThatSaysNothingCountsUntilItsTimeIsOver() {
        var connections = Self.connections(one: 1)
        let leaving = connections.accepted(5, at: .zero, using: &generator)
        #expect(leaving == nil)
        let serial = connections.admit("a", at: .zero)
        #expect(serial != nil)
        let further = connections.admit("a", at: .zero)
        #expect(further == nil)
        let expired = connections.expire(at: Connections.patience)
        #expect(expired == [])
        let early = connections.admit("a", at: Connections.patience)
        #expect(early == nil)
        let later = Connections.patience + .seconds(1)
        let late = connections.expire(at: later)
        #expect(late == [5])
        let admitted = connections.admit("a", at: later)
        #expect(admitted != nil)
    }

    @Test mutating func whoSpokeStays() throws {
        var connections = Self.connections()
        let peer = try entered(&connections, 5)
        let expired = connections.expire(at: .seconds(3600))
        #expect(expired == [])
        #expect(connections.holds(peer))
        #expect(connections.count(of: "a") == 1)
    }

    @Test mutating func whereAllPlacesAreTakenOneThatSaidNothingLeaves() {
        var connections = Self.connections(all: 3, one: 8)
        for descriptor in 5...6 as ClosedRange<Int32> {
            let peer = enter(&connections, descriptor)
            #expect(peer != nil)
        }
        let nobody = connections.accepted(7, at: .zero, using: &generator)
        #expect(nobody == nil)
        let leaving = connections.accepted(8, at: .zero, using: &generator)
        #expect(leaving == 7 || leaving == 8)
        _ = connections.ended(7)
        let known = enter(&connections, 8)
        #expect(known != nil)
        let newest = connections.accepted(9, at: .zero, using: &generator)
        #expect(newest == 9)
    }

    /// Thousands that came and have not ended yet cost the next one nothing.
    @Test mutating func aCrowdDoesNotMakeACallerDear() {
        var connections = Self.connections(all: 256, one: 16)
        var leaving: Set<Int32> = []
        let taken = ContinuousClock().measure {
            for descriptor in 0..<20_000 as Range<Int32> {
                let leaves = connections.accepted(descriptor, at: .zero, using: &generator)
                if let leaves { leaving.insert(leaves) }
            }
        }
        print("20,000 connections: \(taken)")
        #expect(leaving.count == 20_000 - 256)
        #expect(taken < .seconds(2))
    }

    @Test mutating func aMessageThatComesAfterItsConnectionCountsForNobodyElse() throws {
        var connections = Self.connections()
        let leaving = connections.accepted(5, at: .zero, using: &generator)
        #expect(leaving == nil)
        let former = Self.peer(connections.admit("a", at: .zero), 5)
        let ended = connections.ended(5)
        #expect(ended == nil)
        // The number is another's by now.
        let other = try entered(&connections, 5, "b")
        let isHeard = connections.spoke(former)
        #expect(!isHeard)
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
        let isCorrected = connections.spoke(other)
        #expect(isCorrected)
        #expect(connections.holds(other))
        #expect(connections.count(of: "a") == 0)
        let ended = connections.ended(5)
        #expect(ended == other)
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
