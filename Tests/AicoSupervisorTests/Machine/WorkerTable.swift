// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Testing

@testable import AicoSupervisor

/// What one cell of a worker table says.
enum WorkerCell {
    /// Nothing changes and nothing is done.
    case ignored
    /// The state of class user after the event, and what is done.
    case to(WorkerState, [SupervisorAction])
    /// The same, and the scheduler changes with it.
    case ends(SchedulerState, WorkerState, [SupervisorAction])
}

/// One event about class user, in every state of its worker, under one state of the scheduler.
struct WorkerRow: CustomTestStringConvertible {
    var event: SupervisorEvent
    var schedulers: [SchedulerState]
    var cells: [(place: WorkerPlace, cell: WorkerCell)]

    var testDescription: String { "\(event), scheduler \(schedulers)" }

    init(
        _ event: SupervisorEvent, under scheduler: SchedulerState, idle: WorkerCell,
        launching: WorkerCell, running: WorkerCell, backingOff: WorkerCell, dying: WorkerCell,
        dyingWanted: WorkerCell
    ) {
        self.event = event
        schedulers = [scheduler]
        cells = [
            (.idle, idle), (.launching, launching), (.running, running),
            (.backingOff, backingOff), (.dying, dying), (.dyingWanted, dyingWanted),
        ]
    }

    /// A scheduler that is gone or going has taken its workers along: they die or are idle.
    init(withoutScheduler event: SupervisorEvent, idle: WorkerCell, dying: WorkerCell) {
        self.event = event
        schedulers = [.dying, .backingOff]
        cells = [(.idle, idle), (.dying, dying)]
    }

    static let all = whileRunning + whileStopping + withoutScheduler
}

extension WorkerRow {
    static let tenth = Duration.milliseconds(100)

    static let launch = SupervisorEvent.message(.to(.launch, .user))
    static let kill = SupervisorEvent.message(.to(.kill, .user))
    static let status = SupervisorEvent.message(.to(.status, .maintenance))
    static let launched = SupervisorEvent.workerLaunched(.user, processID: 9)
    static let launchFailed = SupervisorEvent.workerLaunchFailed(.user, errno: 13)
    static let exited = SupervisorEvent.workerExited(.user, status: 9, ranFor: .seconds(1))
    static let relaunch = SupervisorEvent.timer(.relaunchWorker(.user))

    static let killAsked: [SupervisorAction] = [
        .log(.workerKillAsked(.user)), .killWorker(.user),
    ]
    static let isLaunched: [SupervisorAction] = [
        .log(.workerLaunched(.user, processID: 9)),
        .send(.to(.launched, .user, processID: 9)),
    ]
    static let isNotLaunched: [SupervisorAction] = [
        .log(.workerNotLaunched(.user, errno: 13, relaunchIn: tenth)),
        .send(.to(.launchFailed, .user, argument: 13)),
        .startTimer(.relaunchWorker(.user), tenth),
    ]

    /// The answer to a status request: three idle classes, then class user.
    static func statusWith(_ user: SupervisorMessage) -> [SupervisorAction] {
        [WorkerID.maintenance, .security, .agency].map { .send(.to(.exited, $0)) }
            + [.send(user)]
    }

    /// Asking and status; the same while the scheduler runs and while it stops.
    static func answers(under scheduler: SchedulerState) -> [WorkerRow] {
        let running = WorkerPlace.running.state
        let nothing = statusWith(.to(.exited, .user))
        return [
            WorkerRow(
                kill, under: scheduler, idle: .ignored, launching: .ignored,
                running: .to(running, killAsked), backingOff: .ignored, dying: .ignored,
                dyingWanted: .ignored),
            WorkerRow(
                status, under: scheduler, idle: .to(.idle, nothing),
                launching: .to(.launching, nothing),
                running: .to(running, statusWith(.to(.launched, .user, processID: 7))),
                backingOff: .to(
                    .backingOff(lastStatus: 0x100),
                    statusWith(.to(.exited, .user, argument: 0x100))),
                dying: .to(.dying(wanted: false), nothing),
                dyingWanted: .to(.dying(wanted: true), nothing)),
            // One that was not asked for, or no longer, may not live on.
            WorkerRow(
                launched, under: scheduler, idle: .to(.idle, [.killWorker(.user)]),
                launching: .to(.running(processID: 9), isLaunched),
                running: .to(running, [.killWorker(.user)]),
                backingOff: .to(.backingOff(lastStatus: 0x100), [.killWorker(.user)]),
                dying: .to(.dying(wanted: false), [.killWorker(.user)]),
                dyingWanted: .to(.dying(wanted: true), [.killWorker(.user)])),
        ]
    }
}
