// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import LinuxSandbox
import Testing

@testable import TaskKit

struct RunLimitsTests {
    private let types: [String: any ScheduledTask.Type] = [SampleTask.id: SampleTask.self]

    private func order(_ type: String) -> AttemptOrder {
        AttemptOrder(
            attempt: AttemptKey(1), executionID: "e", taskID: "user.t", taskType: type,
            attemptNumber: 1, occurrence: Instant(seconds: 0), timeout: .seconds(1000),
            grace: .seconds(9999), config: [])
    }

    private func plan() -> Plan {
        var plan = Plan()
        plan.concurrency = 2
        plan.hostCapabilities = 1 << 2
        plan.attemptLimits.wallSeconds = 60
        return plan
    }

    @Test func declaredCapabilitiesAreGivenOnlyIfTheProfileGrantsThem() {
        let granted = RunLimits.admit(order("user.sample"), types: types, plan: plan(), running: 1)
        #expect(granted == .admitted(capabilities: 4))
        var poor = plan()
        poor.hostCapabilities = 1
        #expect(
            RunLimits.admit(order("user.sample"), types: types, plan: poor, running: 0)
                == .refused("the class's profile does not grant DAC_READ_SEARCH to \"user.sample\"")
        )
    }

    @Test func canaryOfTheClassRunsWithoutCapabilities() {
        #expect(
            RunLimits.admit(order("maintenance.canary"), types: types, plan: plan(), running: 1)
                == .admitted(capabilities: 0))
        #expect(
            RunLimits.admit(order("maintenance.canary"), types: types, plan: plan(), running: 2)
                == .full("the class runs 2 attempts already, its profile's limit"))
        #expect(
            RunLimits.admit(order("user.canary"), types: types, plan: plan(), running: 0)
                == .refused("this worker has no type \"user.canary\""))
    }

    @Test func unknownTypeIsRefusedAndAFullClassHasNoPlace() {
        #expect(
            RunLimits.admit(order("user.simple"), types: types, plan: plan(), running: 0)
                == .refused(
                    "this worker has no type \"user.simple\"; did you mean \"user.sample\"?"))
        #expect(
            RunLimits.admit(order("user.sample"), types: types, plan: plan(), running: 2)
                == .full("the class runs 2 attempts already, its profile's limit"))
    }

    @Test func timesAreHeldToTheProfile() {
        let clamped = RunLimits.clamp(order("user.sample"), to: plan())
        #expect(clamped.timeout == .seconds(60) && clamped.grace == .seconds(300))
        #expect(RunLimits.clamp(order("user.sample"), to: Plan()).timeout == .seconds(1000))
    }

    @Test func theLimitThatIsToldIsTheOneThatHolds() {
        #expect(RunLimits.wallLimit(of: plan()) == .seconds(60))
        #expect(RunLimits.wallLimit(of: Plan()) == nil)
    }
}
