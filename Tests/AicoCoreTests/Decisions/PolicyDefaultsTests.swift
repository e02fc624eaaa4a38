// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Testing

/// What a task gets that says nothing, and the words on the bus and in the store.
struct PolicyDefaultsTests {
    @Test func defaultsAreThoseOfTheRequirements() {
        let policies = TaskPolicies()
        #expect(policies.timeout == nil)
        #expect(policies.grace == .seconds(5))
        #expect(policies.misfire == .runOnce)
        #expect(policies.catchUpWindow == .seconds(86400))
        #expect(policies.overlap == .skip)
        #expect(policies.jitter == .zero)
        #expect(policies.priority == 0)
        #expect(!policies.idleOnly)
        #expect(policies.maximumDefer == .seconds(600))
        #expect(policies.onCrash == .fail)
        #expect(policies.retry.count == 3)
        #expect(policies.retry.delay == .seconds(60))
        #expect(policies.retry.factor == 2)
        #expect(policies.retry.maximumDelay == .seconds(3600))
        #expect(policies.retry.jitter == .zero)
    }

    @Test func wordsAreStable() {
        #expect(MisfirePolicy.allCases.map(\.rawValue) == ["run_once", "skip", "run_all"])
        #expect(
            OverlapPolicy.allCases.map(\.rawValue)
                == ["skip", "queue_one", "queue_all", "cancel_old", "allow"])
        #expect(CrashPolicy.allCases.map(\.rawValue) == ["rerun", "fail"])
        #expect(
            Outcome.Kind.allCases.map(\.rawValue) == [
                "succeeded", "failed_transient", "failed_permanent", "timed_out", "killed",
                "cancelled", "interrupted",
            ])
        #expect(
            Planner.Miss.allCases.map(\.rawValue)
                == ["misfire_skip", "catchup_window", "catchup_cap", "coalesced"])
        #expect(
            Admission.Deferral.allCases.map(\.rawValue) == [
                "overlap", "worker", "concurrency", "class_concurrency", "cpu", "memory",
                "not_idle", "load_unknown", "stopping",
            ])
        #expect(
            Admission.Refusal.allCases.map(\.rawValue) == ["overlap", "superseded", "max_defer"])
    }
}
