// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Testing

@testable import LinuxSandbox

@Suite struct StandbyLossesTests {
    private var losses = StandbyLosses()

    @Test mutating func threeInARowAreTheLast() {
        for _ in 0..<2 { losses.lost() }
        #expect(!losses.areTooMany)
        for _ in 0..<9 {
            losses.lost()
            #expect(losses.areTooMany)
        }
    }

    /// Else three kills at bad moments would leave a class without standbys for as long as it lives.
    @Test mutating func anAttemptThatHeldGivesThemAnotherChance() {
        for _ in 0..<9 { losses.lost() }
        losses.attemptHeld()
        for _ in 0..<2 {
            losses.lost()
            #expect(!losses.areTooMany)
        }
        losses.lost()
        #expect(losses.areTooMany)
    }
}
