// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Testing

@testable import AicoSupervisor

/// Two workers of one class: what becomes of one is nothing to the other.
@Suite struct SecondWorkerTests {
    private let second: WorkerID
    private var machine: SupervisorMachine

    init() throws {
        let workers = try WorkerID.list(beside: ["acme-worker-user"])
        second = workers[4]
        machine = SupervisorMachine(workers: workers)
        for worker in [WorkerID.user, second] {
            _ = machine.handle(.message(.to(.launch, worker)))
            _ = machine.handle(.workerLaunched(worker, processID: UInt64(worker.number)))
        }
    }

    @Test mutating func oneDiesAndTheOtherRunsOn() {
        let actions = machine.handle(
            .workerExited(second, status: 9, ranFor: .seconds(1), words: [1]))
        #expect(actions.contains(.killWorker(second)))
        #expect(actions.contains(.send(.to(.exited, second, argument: 9, words: [1]))))
        #expect(actions.contains(.startTimer(.relaunchWorker(second), .milliseconds(100))))
        #expect(machine.workers[.user] == .running(processID: 3))
        #expect(machine.handle(.timer(.relaunchWorker(second))) == [.launchWorker(second)])
        #expect(machine.handle(.timer(.relaunchWorker(.user))) == [])
    }

    @Test mutating func oneIsKilledAndTheOtherNot() {
        #expect(
            machine.handle(.message(.to(.kill, second)))
                == [.log(.workerKillAsked(second)), .killWorker(second)])
        #expect(machine.workers[.user] == .running(processID: 3))
    }

    @Test mutating func theBackOffOfOneIsNotTheOthers() {
        for _ in 0..<5 {
            _ = machine.handle(.workerExited(second, status: 9, ranFor: .zero))
            _ = machine.handle(.timer(.relaunchWorker(second)))
            _ = machine.handle(.workerLaunched(second, processID: 9))
        }
        let actions = machine.handle(.workerExited(.user, status: 9, ranFor: .seconds(90)))
        #expect(actions.contains(.startTimer(.relaunchWorker(.user), .milliseconds(100))))
    }

    @Test mutating func whyALaunchFailedIsTold() {
        _ = machine.handle(.workerExited(second, status: 9, ranFor: .zero))
        _ = machine.handle(.timer(.relaunchWorker(second)))
        let words = Array("others can change it".utf8)
        let actions = machine.handle(.workerLaunchFailed(second, errno: 22, words: words))
        #expect(
            actions.contains(.send(.to(.launchFailed, second, argument: 22, words: words))))
    }

    @Test mutating func statusListsBothAndAStopEndsBoth() {
        let status = machine.handle(.message(.to(.status, .maintenance)))
        #expect(status.count == 5)
        #expect(
            status.suffix(2) == [
                .send(.to(.launched, .user, processID: 3)),
                .send(.to(.launched, second, processID: 4)),
            ])
        let killed = machine.handle(.schedulerExited(status: 9, ranFor: .zero))
        #expect(killed.contains(.killWorker(.user)) && killed.contains(.killWorker(second)))
    }

    /// A scheduler that names a worker that there is not breaks the rules.
    @Test(arguments: [SupervisorMessage.Kind.launch, .kill])
    mutating func anUnknownNumberIsAViolation(kind: SupervisorMessage.Kind) {
        let actions = machine.handle(.message(SupervisorMessage(kind: kind, worker: 5)))
        #expect(actions.contains(.log(.schedulerViolated(.undecodable))))
        #expect(actions.contains(.killScheduler))
    }
}
