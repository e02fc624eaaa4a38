// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Testing

@testable import AicoSupervisor

/// What one cell of the scheduler's table says.
enum SchedulerCell {
    /// Nothing changes and nothing is done.
    case ignored
    case to(SchedulerState, [SupervisorAction])
}

/// One event in every state of the scheduler; class user runs when the state is entered.
struct SchedulerRow: CustomTestStringConvertible {
    var event: SupervisorEvent
    var cells: [(state: SchedulerState, cell: SchedulerCell)]

    var testDescription: String { "\(event)" }

    init(
        _ event: SupervisorEvent, running: SchedulerCell, dying: SchedulerCell = .ignored,
        backingOff: SchedulerCell = .ignored, stopping: SchedulerCell,
        finished: SchedulerCell = .ignored
    ) {
        self.event = event
        cells = [
            (.running, running), (.dying, dying), (.backingOff, backingOff),
            (.stopping, stopping), (.finished, finished),
        ]
    }
}

/// States of the scheduler x events that are about it.
@Suite struct SchedulerTableTests {
    static let tenth = Duration.milliseconds(100)

    static let rows =
        violationRows + [
            SchedulerRow(
                .message(.to(.stop, .maintenance)),
                running: .to(.stopping, stop), stopping: .ignored),
            SchedulerRow(
                .message(.to(.status, .maintenance)),
                running: .to(.running, status), stopping: .to(.stopping, status)),
            SchedulerRow(
                .message(.to(.ready, .user, argument: 1)),
                running: .to(.running, []), stopping: .to(.stopping, [])),
            SchedulerRow(
                .schedulerExited(status: 11, ranFor: .seconds(5)),
                running: .to(
                    .backingOff,
                    [
                        .log(.schedulerEnded(status: 11, relaunchIn: tenth)), .killWorker(.user),
                        .startTimer(.relaunchScheduler, tenth),
                    ]),
                dying: .to(
                    .backingOff,
                    [
                        .log(.schedulerEnded(status: 11, relaunchIn: tenth)),
                        .startTimer(.relaunchScheduler, tenth),
                    ]),
                stopping: .to(.finished, [.finish])),
            SchedulerRow(
                .schedulerLaunchFailed(errno: 12),
                running: .to(
                    .backingOff,
                    [
                        .log(.schedulerNotLaunched(errno: 12, relaunchIn: tenth)),
                        .killWorker(.user), .startTimer(.relaunchScheduler, tenth),
                    ]),
                dying: .to(
                    .backingOff,
                    [
                        .log(.schedulerNotLaunched(errno: 12, relaunchIn: tenth)),
                        .startTimer(.relaunchScheduler, tenth),
                    ]),
                stopping: .to(.finished, [.finish])),
            SchedulerRow(
                .timer(.relaunchScheduler), running: .ignored,
                backingOff: .to(.running, SupervisorMachine.start), stopping: .ignored),
            SchedulerRow(
                .timer(.heartbeat),
                running: .to(
                    .running,
                    [
                        .send(.to(.ping, .maintenance, argument: 1)),
                        .startTimer(.heartbeat, .seconds(5)),
                    ]),
                stopping: .ignored),
            // Nothing was asked yet: there is no wait to begin anew.
            SchedulerRow(.overslept, running: .ignored, stopping: .ignored),
            SchedulerRow(
                .timer(.stopGrace), running: .ignored,
                stopping: .to(.finished, [.log(.graceOver), .finish])),
            SchedulerRow(
                .stopSignal, running: .to(.stopping, stop), dying: .to(.finished, stopWithout),
                backingOff: .to(.finished, stopWithout), stopping: .ignored),
        ]

    /// Violations seen by the channel, and messages that are one by their kind.
    static let violationRows =
        Violation.all.map { violation in
            row(
                .violation(violation), as: violation,
                // It closes its end before it ends: only its exit counts then.
                stopping: violation == .closed
                    ? .ignored : .to(.stopping, violated(violation)))
        }
        + [
            row(
                .message(.to(.pong, .user, argument: 1)), as: .unasked,
                stopping: .to(.stopping, violated(.unasked))),
            row(
                .message(.to(.ready, .user, argument: 2)), as: .undecodable,
                stopping: .to(.stopping, violated(.undecodable))),
        ]
        + [SupervisorMessage.Kind.launched, .exited, .launchFailed, .shutdown, .ping].map { kind in
            row(
                .message(.to(kind, .user)), as: .wrongDirection,
                stopping: .to(.stopping, violated(.wrongDirection)))
        }

    static func row(
        _ event: SupervisorEvent, as violation: Violation, stopping: SchedulerCell
    ) -> SchedulerRow {
        SchedulerRow(
            event, running: .to(.dying, violated(violation) + [.killWorker(.user)]),
            stopping: stopping)
    }

    static func violated(_ violation: Violation) -> [SupervisorAction] {
        [.log(.schedulerViolated(violation)), .killScheduler]
    }

    static let stop: [SupervisorAction] = [
        .log(.stopping), .stopTimer(.relaunchWorker(.maintenance)),
        .stopTimer(.relaunchWorker(.security)), .stopTimer(.relaunchWorker(.agency)),
        .stopTimer(.relaunchWorker(.user)), .send(.to(.shutdown, .maintenance)),
        .startTimer(.stopGrace, .seconds(10)),
    ]

    static let stopWithout: [SupervisorAction] = [
        .log(.stopping), .stopTimer(.relaunchScheduler), .finish,
    ]

    static let status: [SupervisorAction] = [
        .send(.to(.exited, .maintenance)), .send(.to(.exited, .security)),
        .send(.to(.exited, .agency)),
        .send(.to(.launched, .user, processID: WorkerPlace.processID)),
    ]

    @Test(arguments: rows) func everyStateAnswersAsTheTableSays(row: SchedulerRow) {
        for (state, cell) in row.cells {
            var machine = SupervisorMachine.with(state, user: .running)
            #expect(machine.scheduler == state, "the way to \(state)")
            let before = machine
            let actions = machine.handle(row.event)
            switch cell {
            case .ignored:
                #expect(actions == [], "in \(state)")
                #expect(machine == before, "in \(state)")
            case .to(let next, let expected):
                #expect(actions == expected, "in \(state)")
                #expect(machine.scheduler == next, "in \(state)")
            }
        }
    }

    @Test func theTablesHaveEveryStateAndEvent() {
        let rows = Self.rows.map { EventKind($0.event) } + WorkerRow.all.map { EventKind($0.event) }
        #expect(Set(rows) == EventKind.all)
        for row in Self.rows { #expect(row.cells.map(\.state) == SchedulerState.allCases) }
    }

    @Test func theFirstActionLaunchesTheScheduler() {
        #expect(
            SupervisorMachine.start == [.launchScheduler, .startTimer(.heartbeat, .seconds(5))])
        #expect(SupervisorMachine().scheduler == .running)
    }
}
