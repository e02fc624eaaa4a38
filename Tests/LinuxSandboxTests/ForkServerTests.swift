// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc
import Testing

@testable import LinuxSandbox

/// The life of attempts: told from the worker's side, on the real kernel.
@Suite(.serialized, .enabled(if: geteuid() == 0, "needs root"))
struct ForkServerTests {
    @Test(arguments: [true, false]) func attemptRunsUnderEveryLayerAndEnds(
        userNamespace: Bool
    ) throws {
        let outcome = try AttemptFixture(userNamespace: userNamespace).run("nothing")
        let names = Layer.allCases.map(\.name).joined(separator: ",")
        #expect(outcome.confined == "held=\(names) missing=", "\(outcome)")
        #expect(outcome.said == "nothing")
        #expect(outcome.ended("status") == 0)
        #expect((outcome.ended("peak") ?? 0) > 0)
        #expect(outcome.isDone)
    }
}
