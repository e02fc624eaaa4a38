// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Testing

@testable import AicoSupervisor

/// When the system counts as ready, to whoever started it.
struct ServiceStateTests {
    private static let shipped = WorkerID.shipped

    /// A machine whose shipped workers all run.
    private func machine(_ workers: [WorkerID] = shipped) -> SupervisorMachine {
        var machine = SupervisorMachine(workers: workers)
        for worker in workers {
            _ = machine.handle(.message(message(.launch, worker)))
            _ = machine.handle(.workerLaunched(worker, processID: 7))
        }
        return machine
    }

    private func message(
        _ kind: SupervisorMessage.Kind, _ worker: WorkerID, _ argument: Int32 = 0
    ) -> SupervisorMessage {
        SupervisorMessage(kind: kind, worker: UInt8(worker.number), argument: argument)
    }

    private func ready(_ machine: inout SupervisorMachine) {
        for worker in Self.shipped { _ = machine.handle(.message(message(.ready, worker, 1))) }
    }

    @Test func itIsReadyOnceAllClassesTakeOrders() {
        var machine = machine()
        #expect(
            machine.serviceState
                == ServiceState(
                    phase: .starting, words: "No orders yet: maintenance, security, agency, user"))
        for worker in Self.shipped.dropLast() {
            _ = machine.handle(.message(message(.ready, worker, 1)))
            #expect(machine.serviceState.phase == .starting)
        }
        #expect(machine.serviceState.words == "No orders yet: user")
        ready(&machine)
        #expect(machine.serviceState.phase == .ready)
    }

    @Test func aWorkerThatTakesNoneAnyMoreIsNamed() {
        var machine = machine()
        ready(&machine)
        _ = machine.handle(.message(message(.ready, .user, 0)))
        #expect(machine.serviceState.words == "No orders yet: user")
        ready(&machine)
        _ = machine.handle(.workerExited(.agency, status: 9, ranFor: .zero))
        #expect(machine.serviceState.words == "No orders yet: agency")
        // Its word crossed its end.
        _ = machine.handle(.message(message(.ready, .agency, 1)))
        #expect(machine.serviceState.phase == .starting)
    }

    @Test func aSchedulerThatEndsTakesItAllWithIt() {
        var machine = machine()
        ready(&machine)
        _ = machine.handle(.schedulerExited(status: 9, ranFor: .zero))
        #expect(machine.serviceState.phase == .starting)
        _ = machine.handle(.timer(.relaunchScheduler))
        #expect(machine.serviceState.words.hasPrefix("No orders yet: maintenance"))
    }

    @Test func aStopIsTold() {
        var machine = machine()
        ready(&machine)
        _ = machine.handle(.stopSignal)
        #expect(machine.serviceState.phase == .stopping)
    }

    @Test(arguments: [(UInt8(200), Int32(1)), (0, 2), (0, -1)])
    func aWordThatMeansNothingIsAViolation(worker: UInt8, argument: Int32) {
        var machine = machine()
        let actions = machine.handle(
            .message(SupervisorMessage(kind: .ready, worker: worker, argument: argument)))
        #expect(actions.first == .log(.schedulerViolated(.undecodable)))
    }
}
