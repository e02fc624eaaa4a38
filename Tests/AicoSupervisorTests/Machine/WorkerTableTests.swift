// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Testing

@testable import AicoSupervisor

/// States of a worker x events about it, under every state of the scheduler.
@Suite struct WorkerTableTests {
    @Test(arguments: WorkerRow.all) func everyStateAnswersAsTheTableSays(row: WorkerRow) {
        for scheduler in row.schedulers {
            for (place, cell) in row.cells {
                let context: Comment = "scheduler \(scheduler), worker \(place)"
                var machine = SupervisorMachine.with(scheduler, user: place)
                #expect(machine.scheduler == scheduler, context)
                #expect(machine.workers[.user] == place.state, context)
                let before = machine
                let actions = machine.handle(row.event)
                let others = WorkerID.shipped.filter { $0 != .user }.map { machine.workers[$0] }
                #expect(others == [.idle, .idle, .idle], context)
                switch cell {
                case .ignored:
                    #expect(actions == [], context)
                    #expect(machine == before, context)
                case .to(let worker, let expected):
                    #expect(actions == expected, context)
                    #expect(machine.workers[.user] == worker, context)
                    #expect(machine.scheduler == scheduler, context)
                case .ends(let next, let worker, let expected):
                    #expect(actions == expected, context)
                    #expect(machine.workers[.user] == worker, context)
                    #expect(machine.scheduler == next, context)
                }
            }
        }
    }

    @Test func theTableHasEveryWorkerEventUnderEveryScheduler() {
        let wanted: Set<EventKind> = [
            .message(.launch), .message(.kill), .message(.status), .workerLaunched,
            .workerLaunchFailed, .workerExited, .relaunchWorker,
        ]
        for scheduler in SchedulerState.allCases where scheduler != .finished {
            let rows = WorkerRow.all.filter { $0.schedulers.contains(scheduler) }
            let kinds = Set(rows.map { EventKind($0.event) })
            #expect(wanted.isSubset(of: kinds), "\(scheduler): \(wanted.subtracting(kinds))")
        }
    }

    /// Only these two places are left when the scheduler is gone, whatever was before.
    @Test(arguments: [SchedulerState.dying, .backingOff])
    func aSchedulerThatGoesLeavesWorkersIdleOrDying(scheduler: SchedulerState) {
        for place in WorkerPlace.allCases {
            let left = SupervisorMachine.with(scheduler, user: place).workers[.user]
            switch place {
            case .idle, .backingOff: #expect(left == .idle, "\(place)")
            case .launching, .running, .dying, .dyingWanted:
                #expect(left == .dying(wanted: false), "\(place)")
            }
        }
    }

    @Test func nothingIsHeardOrDoneAfterTheEnd() {
        for place in WorkerPlace.allCases {
            for row in WorkerRow.all {
                var machine = SupervisorMachine.with(.finished, user: place)
                let before = machine
                #expect(machine.handle(row.event) == [], "\(row.event)")
                #expect(machine == before, "\(row.event)")
            }
        }
    }
}
