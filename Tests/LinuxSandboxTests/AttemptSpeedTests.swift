// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc
import Testing

@testable import LinuxSandbox

/// Not a check: prints what an attempt costs, where AICO_MEASURE says how many to run.
@Suite(
    .serialized,
    .enabled(if: geteuid() == 0 && getenv("AICO_MEASURE") != nil, "needs root and AICO_MEASURE"))
struct AttemptSpeedTests {
    @Test(arguments: [true, false]) func attemptsOneAfterTheOther(userNamespace: Bool) throws {
        let count = getenv("AICO_MEASURE").map { String(cString: $0) } ?? "1000"
        let fixture = AttemptFixture(userNamespace: userNamespace, denying: [101, 103])
        print("user namespace: \(userNamespace)\n\(try fixture.run("--measure", count))")
    }
}
