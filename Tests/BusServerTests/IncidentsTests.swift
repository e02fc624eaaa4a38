// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Testing

@testable import BusServer

struct IncidentsTests {
    @Test func theFirstIsToldAtOnceAndTheRestWithTheirNumber() {
        var incidents = Incidents()
        var told: [BusServer.Incident] = []
        // Ten thousand in a minute, one a turn.
        for number in 0..<10_000 {
            incidents.count("greedy", "bus.flood", "requests")
            told += incidents.take(at: .milliseconds(number * 6))
        }
        told += incidents.take(at: .seconds(80))
        #expect(told.count == 4)
        #expect(told.first?.count == 1)
        #expect(told.map(\.count).reduce(0, +) == 10_000)
        let last = incidents.take(at: .seconds(200))
        #expect(last.isEmpty)
    }

    @Test func whatDiffersInItsDetailIsCountedApart() {
        var incidents = Incidents()
        for detail in ["a key of no client", "a shared key", "a shared key"] {
            incidents.count("unknown", "bus.key_refused", detail)
        }
        let told = incidents.take(at: .zero)
        #expect(
            told == [
                .init(
                    actor: "unknown", action: "bus.key_refused", count: 1,
                    detail: "a key of no client"),
                .init(
                    actor: "unknown", action: "bus.key_refused", count: 2, detail: "a shared key"),
            ])
    }
}
