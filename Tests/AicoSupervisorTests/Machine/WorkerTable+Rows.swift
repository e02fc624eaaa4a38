// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire

@testable import AicoSupervisor

extension WorkerRow {
    static let whileRunning =
        answers(under: .running) + [
            WorkerRow(
                launch, under: .running, idle: .to(.launching, [.launchWorker(.user)]),
                launching: .ends(
                    .dying, .dying(wanted: false), violated(.outOfTurn, [.killWorker(.user)])),
                running: .ends(
                    .dying, .dying(wanted: false), violated(.outOfTurn, [.killWorker(.user)])),
                backingOff: .ignored, dying: .to(.dying(wanted: true), []),
                dyingWanted: .ends(.dying, .dying(wanted: false), violated(.outOfTurn))),
            WorkerRow(
                launchFailed, under: .running, idle: .ignored,
                launching: .to(.backingOff(lastStatus: 0), isNotLaunched), running: .ignored,
                backingOff: .ignored, dying: .to(.idle, []),
                dyingWanted: .to(.launching, [.launchWorker(.user)])),
            WorkerRow(
                exited, under: .running, idle: .ignored, launching: .ignored,
                running: .to(
                    .backingOff(lastStatus: 9),
                    [
                        .log(.workerEnded(.user, status: 9, relaunchIn: tenth)),
                        .killWorker(.user), .send(.to(.exited, .user, argument: 9)),
                        .startTimer(.relaunchWorker(.user), tenth),
                    ]),
                backingOff: .ignored, dying: .to(.idle, []),
                dyingWanted: .to(.launching, [.launchWorker(.user)])),
            WorkerRow(
                relaunch, under: .running, idle: .ignored, launching: .ignored,
                running: .ignored, backingOff: .to(.launching, [.launchWorker(.user)]),
                dying: .ignored, dyingWanted: .ignored),
            WorkerRow(
                .violation(.undecodable), under: .running,
                idle: .ends(.dying, .idle, violated(.undecodable)),
                launching: .ends(
                    .dying, .dying(wanted: false), violated(.undecodable, [.killWorker(.user)])),
                running: .ends(
                    .dying, .dying(wanted: false), violated(.undecodable, [.killWorker(.user)])),
                backingOff: .ends(
                    .dying, .idle, violated(.undecodable, [.stopTimer(.relaunchWorker(.user))])),
                dying: .ends(.dying, .dying(wanted: false), violated(.undecodable)),
                dyingWanted: .ends(.dying, .dying(wanted: false), violated(.undecodable))),
            WorkerRow(
                .schedulerExited(status: 0, ranFor: .seconds(60)), under: .running,
                idle: .ends(.backingOff, .idle, schedulerEnded([])),
                launching: .ends(
                    .backingOff, .dying(wanted: false), schedulerEnded([.killWorker(.user)])),
                running: .ends(
                    .backingOff, .dying(wanted: false), schedulerEnded([.killWorker(.user)])),
                backingOff: .ends(
                    .backingOff, .idle, schedulerEnded([.stopTimer(.relaunchWorker(.user))])),
                dying: .ends(.backingOff, .dying(wanted: false), schedulerEnded([])),
                dyingWanted: .ends(.backingOff, .dying(wanted: false), schedulerEnded([]))),
            WorkerRow(
                .stopSignal, under: .running,
                idle: .ends(.stopping, .idle, SchedulerTableTests.stop),
                launching: .ends(.stopping, .launching, SchedulerTableTests.stop),
                running: .ends(.stopping, .running(processID: 7), SchedulerTableTests.stop),
                backingOff: .ends(
                    .stopping, .backingOff(lastStatus: 0x100), SchedulerTableTests.stop),
                dying: .ends(.stopping, .dying(wanted: false), SchedulerTableTests.stop),
                dyingWanted: .ends(.stopping, .dying(wanted: true), SchedulerTableTests.stop)),
        ]

    /// A stop starts nothing any more, and what ends stays ended.
    static let whileStopping =
        answers(under: .stopping) + [
            WorkerRow(
                launch, under: .stopping, idle: .ignored, launching: .ignored, running: .ignored,
                backingOff: .ignored, dying: .ignored, dyingWanted: .ignored),
            WorkerRow(
                launchFailed, under: .stopping, idle: .ignored,
                launching: .to(.backingOff(lastStatus: 0), isNotLaunched), running: .ignored,
                backingOff: .ignored, dying: .to(.idle, []), dyingWanted: .to(.idle, [])),
            WorkerRow(
                exited, under: .stopping, idle: .ignored, launching: .ignored,
                running: .to(
                    .idle,
                    [
                        .log(.workerEnded(.user, status: 9, relaunchIn: nil)),
                        .killWorker(.user), .send(.to(.exited, .user, argument: 9)),
                    ]),
                backingOff: .ignored, dying: .to(.idle, []), dyingWanted: .to(.idle, [])),
            WorkerRow(
                relaunch, under: .stopping, idle: .ignored, launching: .ignored,
                running: .ignored, backingOff: .ignored, dying: .ignored, dyingWanted: .ignored),
        ]

    /// What the old scheduler still says is not heard; its workers end without a word.
    static let withoutScheduler = [
        WorkerRow(withoutScheduler: launch, idle: .ignored, dying: .ignored),
        WorkerRow(withoutScheduler: kill, idle: .ignored, dying: .ignored),
        WorkerRow(withoutScheduler: status, idle: .ignored, dying: .ignored),
        WorkerRow(
            withoutScheduler: launched, idle: .to(.idle, [.killWorker(.user)]),
            dying: .to(.dying(wanted: false), [.killWorker(.user)])),
        WorkerRow(withoutScheduler: launchFailed, idle: .ignored, dying: .to(.idle, [])),
        WorkerRow(withoutScheduler: exited, idle: .ignored, dying: .to(.idle, [])),
        WorkerRow(withoutScheduler: relaunch, idle: .ignored, dying: .ignored),
    ]

    private static func violated(
        _ violation: Violation, _ workers: [SupervisorAction] = []
    ) -> [SupervisorAction] {
        [.log(.schedulerViolated(violation)), .killScheduler] + workers
    }

    private static func schedulerEnded(_ workers: [SupervisorAction]) -> [SupervisorAction] {
        [.log(.schedulerEnded(status: 0, relaunchIn: tenth))] + workers
            + [.startTimer(.relaunchScheduler, tenth)]
    }
}
