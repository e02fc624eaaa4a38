// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Testing

@testable import SchedulerCore

/// What health says of a worker that goes silent, dies and comes back.
struct WorkerHealthTests {
    private func check(_ run: CoreRun) -> HealthCheck? {
        HealthRules.judge(run.core.healthFacts).checks.first { $0.name == "worker.user" }
    }

    private func published(_ run: inout CoreRun) -> [HealthStatus] {
        run.take().published.compactMap {
            if case .health(let status, _) = $0 { status } else { nil }
        }
    }

    @Test func silenceIsToldLongBeforeTheKillAndTakenBack() throws {
        var run = try CoreRun()
        run.silent = [.user]
        run.pass(.seconds(16))
        #expect(check(run)?.status == .degraded)
        #expect(check(run)?.message.hasPrefix("has not answered for 6 s; after 20 s") == true)
        let actions = run.take()
        #expect(actions.killed == [])
        #expect(
            actions.published.contains(.health(.degraded, was: .healthy)),
            "it is told when it happens, not when somebody asks")
        run.silent = []
        run.answerPing(.user)
        #expect(check(run)?.message == "takes orders")
        #expect(published(&run) == [.healthy])
        run.pass(.seconds(60))
        #expect(run.take().killed == [])
    }

    @Test func pathThatAnAttemptIsRefusedForIsToldUntilOneBegins() throws {
        var run = try CoreRun()
        let policies = TaskPolicies(retry: RetryPolicy(count: 3, delay: .seconds(1)))
        try run.create("user.one", "@yearly", policies)
        run.request(.run(try TaskID("user.one")))
        let order = try #require(run.take().orders.first)
        func lack() -> HealthCheck? {
            HealthRules.judge(run.core.healthFacts).checks.first { $0.name == "grants.user" }
        }
        #expect(lack() == nil)
        let failure = LayerFailure(layer: "mounts", errno: 2, detail: "show '/srv/backup'")
        run.report(
            .user,
            .finished(
                attempt: order.attempt, sequence: 0,
                // As a worker says it of an attempt that its fork server never began.
                exit: AttemptExit(
                    reply: .none, exit: .signaled(signal: 9), cause: .layerRefused(failure),
                    usage: .none)))
        run.turn()
        #expect(lack()?.status == .degraded)
        #expect(lack()?.message.contains("'/srv/backup'") == true)
        // The class works, and the attempt is tried again.
        #expect(check(run)?.message == "takes orders")
        run.pass(.seconds(5))
        let second = try #require(run.take().orders.first)
        try run.start(second)
        #expect(lack() == nil)
        try run.finish(second)
        #expect(lack() == nil)
    }

    @Test func pathThatAnAttemptRunsWithoutIsToldUntilOneHasIt() throws {
        var run = try CoreRun()
        try run.create("user.one", "@yearly")
        func lack() -> HealthCheck? {
            HealthRules.judge(run.core.healthFacts).checks.first { $0.name == "grants.user" }
        }
        let failure = LayerFailure(layer: "mounts", errno: 2, detail: "show '/srv/backup'")
        for missing in [[failure], []] {
            run.request(.run(try TaskID("user.one")))
            let order = try #require(run.take().orders.first)
            run.report(
                .user,
                .started(
                    attempt: order.attempt, sequence: 0,
                    layers: LayerReport(held: [], missing: missing), at: run.wall))
            run.turn()
            try run.finish(order)
            // Also where it succeeds.
            #expect(lack()?.status == (missing.isEmpty ? nil : .degraded))
            #expect(lack()?.message.contains("run without") != false)
        }
    }

    @Test func silenceThatGoesOnIsKilledAfterItsPatience() throws {
        var run = try CoreRun()
        run.silent = [.user]
        run.pass(.seconds(29))
        #expect(run.take().killed == [])
        run.pass(.seconds(2))
        #expect(run.take().killed == [.user])
        #expect(check(run)?.message == "gave no sign of life for 20 s")
    }

    @Test func suspendBeginsTheSilenceAnew() throws {
        var run = try CoreRun()
        run.silent = [.user]
        run.pass(.seconds(16))
        run.suspend(.seconds(3600))
        #expect(check(run)?.status == .healthy)
        run.pass(.seconds(19))
        #expect(run.take().killed == [])
        run.pass(.seconds(2))
        #expect(run.take().killed == [.user])
    }

    /// A class whose worker cannot be launched has had none since it was last there.
    @Test func aLaunchThatFailsLeavesItAbsentForAsLong() throws {
        var run = try CoreRun()
        run.feed(.worker(.user, .exited(status: 9, words: "")))
        let since = run.core.worker(.user).since
        run.pass(.seconds(20))
        run.feed(.worker(.user, .launchFailed(errno: 12)))
        #expect(run.core.worker(.user).state == .absent)
        #expect(run.core.worker(.user).since == since)
        // One that is there was launched.
        run.feed(.worker(.agency, .launchFailed(errno: 12)))
        #expect(run.core.worker(.agency).isReady)
    }

    @Test func deathsAreForgottenWhenTheWordsSaySo() throws {
        var run = try CoreRun()
        for _ in 0..<3 {
            run.feed(.worker(.user, .exited(status: 9, words: "")))
            run.pass(.seconds(1))
            try run.makeReady(.user)
        }
        let back = run.wall
        #expect(check(run)?.status == .critical)
        let message = try #require(check(run)?.message)
        #expect(message.contains("died 3 times in a row"))
        #expect(message.contains("takes orders again since \(back.iso8601.prefix(19))Z"))
        let forgotten = back + .seconds(60)
        #expect(message.contains("healthy again at \(forgotten.iso8601.prefix(19))Z"))
        run.pass(.milliseconds(59_900))
        #expect(check(run)?.status == .critical)
        run.pass(.milliseconds(200))
        #expect(check(run)?.status == .healthy)
    }
}
