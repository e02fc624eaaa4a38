// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Testing

@testable import BusServer

/// Who ends for events that are left unread.
@Suite struct UnreadEventsTests {
    private let behind = Peer(serial: 1, name: "behind", connection: 1)
    private let deaf = Peer(serial: 2, name: "deaf", connection: 2)

    /// The events up to the first one before which somebody ends, and who; none in 100.
    private func ends(
        _ full: (_ event: Int, _ peer: Peer) -> Bool
    ) -> (event: Int, who: Set<Peer>)? {
        var unread = UnreadEvents(limit: 20)
        for event in 0..<100 {
            let ended = unread.look(at: { [behind, deaf] }) { full(event, $0) }
            if !ended.isEmpty { return (event, ended) }
            unread.count(bytes: 1)
        }
        return nil
    }

    @Test func oneThatReadsNothingEndsWithinItsBound() throws {
        let found = try #require(ends { $1 == deaf })
        #expect(found.who == [deaf] && found.event == 20)
        // Deaf from the middle of a count on: in the next one.
        let later = try #require(ends { $0 >= 5 && $1 == deaf })
        #expect(later.who == [deaf] && later.event == 20)
        #expect(ends { _, _ in false } == nil)
    }

    /// A machine that is busy finds a buffer full each time that it counts, by chance.
    @Test func oneThatIsBehindNowAndThenStays() {
        #expect(ends { event, peer in peer == behind && event % 10 == 0 } == nil)
        #expect(ends { event, peer in peer == behind && event % 10 != 4 } == nil)
    }

    @Test func aConnectionThatIsGoneIsNoSuspect() {
        var unread = UnreadEvents(limit: 2)
        unread.count(bytes: 1)
        #expect(unread.look(at: { [deaf] }) { _ in true } == [])
        unread.forget(deaf)
        unread.count(bytes: 1)
        #expect(unread.look(at: { [deaf] }) { _ in true } == [])
        unread.count(bytes: 1)
        #expect(unread.look(at: { [deaf] }) { _ in true } == [deaf])
    }
}
