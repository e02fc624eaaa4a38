// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Testing

@testable import AicoSupervisor

/// Chains of events: what crosses on the way, and what a death sets off.
@Suite struct MachineScenarioTests {
    static let launchUser = SupervisorEvent.message(.to(.launch, .user))

    /// The delays of the timers that were started.
    static func delays(of actions: [SupervisorAction]) -> [Duration] {
        actions.compactMap { if case .startTimer(_, let delay) = $0 { delay } else { nil } }
    }

    static let doubling =
        [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600].map { Duration.milliseconds($0) }
        + [.seconds(30), .seconds(30)]

    @Test func aLaunchThatCrossesAnExitIsNoViolation() {
        var machine = SupervisorMachine.with(.running, user: .running)
        _ = machine.handle(.workerExited(.user, status: 9, ranFor: .zero))
        #expect(machine.handle(Self.launchUser) == [])
        #expect(machine.handle(.timer(.relaunchWorker(.user))) == [.launchWorker(.user)])
    }

    @Test func aKillThatCrossesAnExitKillsNothing() {
        var machine = SupervisorMachine.with(.running, user: .backingOff)
        #expect(machine.handle(.message(.to(.kill, .user))) == [])
        #expect(machine.workers[.user] == WorkerPlace.backingOff.state)
    }

    @Test func aStopThatCrossesALaunchStartsNothing() {
        var machine = SupervisorMachine()
        _ = machine.handle(.stopSignal)
        #expect(machine.handle(Self.launchUser) == [])
        #expect(machine.workers[.user] == .idle)
    }

    @Test func theNewSchedulerGetsAWorkerWhenTheOldOnesIsGone() {
        var machine = SupervisorMachine.with(.running, user: .running)
        _ = machine.handle(.schedulerExited(status: 9, ranFor: .zero))
        _ = machine.handle(.timer(.relaunchScheduler))
        #expect(machine.handle(Self.launchUser) == [])
        let exit = SupervisorEvent.workerExited(.user, status: 9, ranFor: .zero)
        #expect(machine.handle(exit) == [.launchWorker(.user)])
        let launched = machine.handle(.workerLaunched(.user, processID: 8))
        #expect(launched.last == .send(.to(.launched, .user, processID: 8)))
    }

    @Test func whatADyingSchedulerSaysIsNotHeard() {
        var machine = SupervisorMachine()
        _ = machine.handle(.violation(.undecodable))
        for kind in SupervisorMessage.Kind.allCases {
            #expect(machine.handle(.message(.to(kind, .user))) == [], "\(kind)")
        }
        #expect(machine.scheduler == .dying)
        _ = machine.handle(.schedulerExited(status: 9, ranFor: .zero))
        _ = machine.handle(.timer(.relaunchScheduler))
        #expect(machine.handle(Self.launchUser) == [.launchWorker(.user)], "the new one is heard")
    }

    /// A configuration that the first scheduler refuses is no better for the next.
    @Test func aRefusalOfTheFirstSchedulerEndsTheStart() {
        let refusal = SupervisorEvent.schedulerExited(status: 78 << 8, ranFor: .zero)
        var machine = SupervisorMachine()
        #expect(machine.handle(refusal) == [.refuseStart])
        #expect(machine.scheduler == .finished)
        var closed = SupervisorMachine()
        _ = closed.handle(.violation(.closed))
        #expect(closed.handle(refusal) == [.refuseStart])
        var other = SupervisorMachine()
        let end = other.handle(.schedulerExited(status: 70 << 8, ranFor: .zero))
        #expect(!end.contains(.refuseStart) && other.scheduler == .backingOff)
        var heard = SupervisorMachine()
        _ = heard.handle(Self.launchUser)
        #expect(!heard.handle(refusal).contains(.refuseStart))
        #expect(heard.scheduler == .backingOff)
        var stopping = SupervisorMachine()
        _ = stopping.handle(.stopSignal)
        #expect(stopping.handle(refusal) == [.finish])
    }

    @Test(arguments: Violation.all)
    func aViolationEndsTheSchedulerAndNeverTheSupervisor(violation: Violation) {
        var machine = SupervisorMachine.with(.running, user: .running)
        let actions = machine.handle(.violation(violation))
        #expect(actions.contains(.killScheduler) && !actions.contains(.finish))
        let ended = machine.handle(.schedulerExited(status: 9, ranFor: .zero))
        #expect(!ended.contains(.finish))
        #expect(machine.handle(.timer(.relaunchScheduler)) == SupervisorMachine.start)
    }

    @Test(arguments: SchedulerState.allCases)
    func everyStopEndsWhateverRuns(scheduler: SchedulerState) {
        for place in WorkerPlace.allCases {
            var machine = SupervisorMachine.with(scheduler, user: place)
            var actions = machine.handle(.stopSignal)
            if scheduler == .running || scheduler == .stopping {
                #expect(!actions.contains(.finish), "the scheduler has its grace")
                var other = machine
                #expect(other.handle(.schedulerExited(status: 0, ranFor: .zero)) == [.finish])
                actions += machine.handle(.timer(.stopGrace))
            }
            #expect(machine.scheduler == .finished)
            let count = actions.count { $0 == .finish }
            #expect(count == (scheduler == .finished ? 0 : 1), "\(place)")
        }
    }

    @Test func aSchedulerThatDiesAtOnceIsStartedAtGrowingIntervals() {
        var machine = SupervisorMachine()
        var delays: [Duration] = []
        for round in 0..<Self.doubling.count {
            // A failed launch counts as a death.
            let event: SupervisorEvent =
                round.isMultiple(of: 2)
                ? .schedulerExited(status: 1, ranFor: .seconds(59))
                : .schedulerLaunchFailed(errno: 12)
            delays += Self.delays(of: machine.handle(event))
            _ = machine.handle(.timer(.relaunchScheduler))
        }
        #expect(delays == Self.doubling)
        let healthy = machine.handle(.schedulerExited(status: 1, ranFor: .seconds(60)))
        #expect(Self.delays(of: healthy) == [.milliseconds(100)])
    }

    @Test func aWorkerThatDiesAtOnceIsStartedAtGrowingIntervals() {
        var machine = SupervisorMachine.with(.running, user: .launching)
        var delays: [Duration] = []
        for round in 0..<Self.doubling.count {
            let isLaunched = round.isMultiple(of: 2)
            if isLaunched { _ = machine.handle(.workerLaunched(.user, processID: 8)) }
            delays += Self.delays(
                of: machine.handle(
                    isLaunched
                        ? .workerExited(.user, status: 1, ranFor: .zero)
                        : .workerLaunchFailed(.user, errno: 1)))
            #expect(machine.handle(.timer(.relaunchWorker(.user))) == [.launchWorker(.user)])
        }
        #expect(delays == Self.doubling)
        _ = machine.handle(.workerLaunched(.user, processID: 8))
        let healthy = machine.handle(.workerExited(.user, status: 1, ranFor: .seconds(60)))
        #expect(Self.delays(of: healthy) == [.milliseconds(100)])
    }

    @Test func aWorkersLastWordsGoWithItsExitAndItsStatus() {
        let words = Array("no library".utf8)
        let told = SupervisorAction.send(.to(.exited, .user, argument: 9, words: words))
        var machine = SupervisorMachine.with(.running, user: .running)
        let exit = SupervisorEvent.workerExited(.user, status: 9, ranFor: .zero, words: words)
        #expect(machine.handle(exit).contains(told))
        #expect(machine.handle(.message(.to(.status, .maintenance))).last == told)
        var stopping = SupervisorMachine.with(.stopping, user: .running)
        #expect(stopping.handle(exit).last == told)
    }

    @Test func eachClassWaitsForItself() {
        var machine = SupervisorMachine.with(.running, user: .backingOff)
        _ = machine.handle(.message(.to(.launch, .agency)))
        let failed = machine.handle(.workerLaunchFailed(.agency, errno: 1))
        #expect(Self.delays(of: failed) == [.milliseconds(100)])
    }
}
