// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Testing

@testable import SchedulerCore

/// A start that waited for what it had to wait for is not late: the loop is measured, not the wait.
struct LatenessTests {
    enum Wait: CaseIterable {
        case busy, notIdle, loadUnknown, places, classPlaces
    }

    private static let busy = MachineLoad.known(Admission.Load(cpu: 95, memory: 1))
    private static let used = MachineLoad.known(Admission.Load(cpu: 50, memory: 1))
    private static let calm = MachineLoad.known(Admission.Load(cpu: 1, memory: 1))

    @Test(arguments: Wait.allCases)
    func whatHadToWaitIsNotLate(wait: Wait) throws {
        var settings = CoreSettings()
        if wait == .places { settings.maximumConcurrency = 1 }
        if wait == .classPlaces { settings.classConcurrency = [.user: 1] }
        var run = try CoreRun(settings)
        let isIdleOnly = wait == .notIdle || wait == .loadUnknown
        try run.create("user.other", "@yearly")
        try run.create("user.one", "* * * * *", TaskPolicies(idleOnly: isIdleOnly))
        var other: AttemptOrder?
        switch wait {
        case .busy: run.feed(.load(Self.busy))
        case .notIdle: run.feed(.load(Self.used))
        case .loadUnknown: run.feed(.load(.notYet))
        case .places, .classPlaces:
            run.request(.run(try TaskID("user.other")))
            other = run.take().orders.first
            #expect(other != nil)
        }
        let due = try #require(run.core.tasks[try TaskID("user.one")]?.record.nextRun)
        run.pass(due - run.wall + .seconds(30))
        #expect(run.take().orders.isEmpty)
        if let other {
            try run.finish(other, sequence: 0)
        } else {
            run.feed(.load(Self.calm))
        }
        run.pass(.milliseconds(10))
        let actions = run.take()
        let order = try #require(actions.orders.first)
        #expect(order.occurrence == due)
        try run.start(order)
        let measured = run.take().compactMap {
            if case .measured(let latency) = $0 { latency } else { nil }
        }
        #expect(measured.count == 1)
        #expect(measured.allSatisfy { $0 < .seconds(1) }, "\(measured)")
        #expect(run.core.health.lateness < .seconds(1))
    }
}
