// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Testing

@testable import SchedulerCore

/// What a person hears of an execution that waits.
struct WaitingTests {
    private func refusal(_ run: inout CoreRun) -> Refusal? {
        run.take().replies.compactMap {
            if case .refused(let refusal) = $0 { refusal } else { nil }
        }
        .first
    }

    @Test func secondRunOfOneThatWaitsSaysWhatItWaitsForAndSinceWhen() throws {
        var settings = CoreSettings()
        settings.maximumConcurrency = 1
        var run = try CoreRun(settings)
        for name in ["user.one", "user.two"] {
            try run.create(name, "@yearly")
            run.request(.run(try TaskID(name)))
        }
        let since = run.wall
        run.pass(.seconds(5))
        _ = run.take()
        run.request(.run(try TaskID("user.two")))
        let refusal = refusal(&run)
        #expect(refusal?.code == .conflict)
        #expect(refusal?.message.contains("user.two is to run already, as ") == true)
        #expect(
            refusal?.message.hasSuffix(
                "has waited since \(since) for concurrency: all 1 places are taken") == true)
        run.request(.run(try TaskID("user.one")))
        #expect(self.refusal(&run)?.message.hasPrefix("user.one runs already as ") == true)
    }

    @Test func secondRunOfOneThatWaitsForItsRetrySaysWhen() throws {
        var run = try CoreRun()
        try run.create(
            "user.one", "@yearly", TaskPolicies(retry: RetryPolicy(count: 1, delay: .seconds(60))))
        run.request(.run(try TaskID("user.one")))
        let order = try #require(run.take().orders.first)
        try run.fail(order)
        run.request(.run(try TaskID("user.one")))
        let at = run.wall + .seconds(60)
        #expect(refusal(&run)?.message.hasSuffix("whose next attempt starts at \(at)") == true)
    }
}
