// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Testing

@testable import SchedulerCore

/// A stop that waits for attempts to end.
struct StopTests {
    /// The loop sleeps until one of them does.
    @Test func aStopThatWaitsKeepsNobodyBusy() throws {
        var run = try CoreRun()
        try run.create("user.one", "@yearly")
        run.request(.run(try TaskID("user.one")))
        let order = try #require(run.take().orders.first)
        try run.start(order)
        // Both let the core look at what waits.
        run.feed(.stop)
        run.feed(.load(.known(Admission.Load(cpu: 2, memory: 2))))
        run.turn()
        #expect(run.core.stop == .stopping)
        #expect(!run.core.isBusy)
        #expect(run.core.wake.boot.map { $0 > run.time.boot } == true)
        try run.finish(order)
        guard case .ended = run.core.stop else {
            Issue.record("the stop did not end: \(run.core.stop)")
            return
        }
    }
}
