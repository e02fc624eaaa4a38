// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Foundation

/// SplitMix64: small, fast, and the same on every machine. Source: Steele et al., OOPSLA 2014.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// The seed of this run: `AICO_TEST_SEED`, or a fresh one; printed so that it can be repeated.
    static func announcedSeed(for suite: String) -> UInt64 {
        let given = ProcessInfo.processInfo.environment["AICO_TEST_SEED"].flatMap(UInt64.init)
        let seed = given ?? UInt64.random(in: 0...UInt64(UInt32.max))
        print("\(suite): AICO_TEST_SEED=\(seed)")
        return seed
    }
}
