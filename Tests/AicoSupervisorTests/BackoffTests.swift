// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Testing

@testable import AicoSupervisor

@Suite("Back-off")
struct BackoffTests {
    @Test func doublesFromATenthToThirtySecondsAndStays() {
        var backoff = Backoff()
        let delays = (0..<12).map { _ in backoff.next(ranFor: .zero) }
        let expected = [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600].map {
            Duration.milliseconds($0)
        }
        #expect(delays == expected + Array(repeating: .seconds(30), count: 3))
    }

    @Test func aHealthyRunBringsItBackToTheShortest() {
        var backoff = Backoff()
        for _ in 0..<5 { _ = backoff.next(ranFor: .seconds(59)) }
        #expect(backoff.next(ranFor: .seconds(60)) == .milliseconds(100))
        #expect(backoff.next(ranFor: .seconds(1)) == .milliseconds(200))
    }
}
