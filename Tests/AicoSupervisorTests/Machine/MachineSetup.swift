// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire

@testable import AicoSupervisor

typealias SchedulerState = SupervisorMachine.SchedulerState
typealias WorkerState = SupervisorMachine.WorkerState

/// The worker states of the table, each with the events that lead there.
enum WorkerPlace: CaseIterable {
    case idle
    case launching
    case running
    case backingOff
    case dying
    case dyingWanted

    /// The process id of the worker that runs.
    static let processID: UInt64 = 7
    /// The wait status that it left behind: exit status 1.
    static let lastStatus: Int32 = 0x100

    var state: WorkerState {
        switch self {
        case .idle: .idle
        case .launching: .launching
        case .running: .running(processID: Self.processID)
        case .backingOff: .backingOff(lastStatus: Self.lastStatus)
        case .dying: .dying(wanted: false)
        case .dyingWanted: .dying(wanted: true)
        }
    }

    /// The way of class user from the start, with the scheduler running at its end.
    var events: [SupervisorEvent] {
        switch self {
        case .idle:
            []
        case .launching:
            [.message(.to(.launch, .user))]
        case .running:
            Self.launching.events + [.workerLaunched(.user, processID: Self.processID)]
        case .backingOff:
            Self.running.events
                + [.workerExited(.user, status: Self.lastStatus, ranFor: .zero)]
        case .dying:
            Self.running.events
                + [.schedulerExited(status: 0, ranFor: .zero), .timer(.relaunchScheduler)]
        case .dyingWanted:
            Self.dying.events + [.message(.to(.launch, .user))]
        }
    }
}

extension SupervisorMachine.SchedulerState {
    /// The way from a scheduler that runs.
    var events: [SupervisorEvent] {
        switch self {
        case .running: []
        case .dying: [.violation(.unread)]
        case .backingOff: [.schedulerExited(status: 0, ranFor: .zero)]
        case .stopping: [.stopSignal]
        case .finished: [.stopSignal, .timer(.stopGrace)]
        }
    }
}

extension SupervisorMachine {
    /// A machine of the four.
    init() { self.init(workers: WorkerID.shipped) }

    /// A machine with class user at a place; the other classes are idle.
    static func with(_ scheduler: SchedulerState, user place: WorkerPlace) -> SupervisorMachine {
        var machine = SupervisorMachine()
        for event in place.events + scheduler.events { _ = machine.handle(event) }
        return machine
    }
}

extension SupervisorMessage {
    static func to(
        _ kind: Kind, _ workerID: WorkerID, argument: Int32 = 0, processID: UInt64 = 0,
        words: [UInt8] = []
    ) -> SupervisorMessage {
        SupervisorMessage(
            kind: kind, worker: UInt8(workerID.number), argument: argument, processID: processID,
            words: words)
    }
}

extension Violation {
    /// Every violation; `next` makes the compiler ask for a new one here.
    static let all: [Violation] = Array(
        sequence(first: .undecodable) { violation in
            switch violation {
            case .undecodable: .closed
            case .closed: .unread
            case .unread: .wrongDirection
            case .wrongDirection: .outOfTurn
            case .outOfTurn: .unasked
            case .unasked: nil
            }
        })
}

/// One kind of event: a line of the table.
enum EventKind: Hashable {
    case message(SupervisorMessage.Kind)
    case violation(Violation)
    case schedulerExited, schedulerLaunchFailed
    case workerLaunched, workerLaunchFailed, workerExited
    case relaunchScheduler, relaunchWorker, heartbeat, stopGrace
    case overslept, stopSignal

    /// Every kind there is.
    static let all = Set(
        SupervisorMessage.Kind.allCases.map(EventKind.message)
            + Violation.all.map(EventKind.violation) + [
                .schedulerExited, .schedulerLaunchFailed, .workerLaunched, .workerLaunchFailed,
                .workerExited, .relaunchScheduler, .relaunchWorker, .heartbeat, .stopGrace,
                .overslept, .stopSignal,
            ])

    init(_ event: SupervisorEvent) {
        switch event {
        case .message(let message): self = .message(message.kind)
        case .violation(let violation): self = .violation(violation)
        case .schedulerExited: self = .schedulerExited
        case .schedulerLaunchFailed: self = .schedulerLaunchFailed
        case .workerLaunched: self = .workerLaunched
        case .workerLaunchFailed: self = .workerLaunchFailed
        case .workerExited: self = .workerExited
        case .timer(.relaunchScheduler): self = .relaunchScheduler
        case .timer(.relaunchWorker): self = .relaunchWorker
        case .timer(.heartbeat): self = .heartbeat
        case .timer(.stopGrace): self = .stopGrace
        case .overslept: self = .overslept
        case .stopSignal: self = .stopSignal
        }
    }
}
