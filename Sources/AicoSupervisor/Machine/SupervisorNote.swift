// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore

/// The supervisor's log lines; all their wording is here.
enum SupervisorNote: Equatable, CustomStringConvertible {
    case schedulerEnded(status: Int32, relaunchIn: Duration)
    case schedulerNotLaunched(errno: Int32, relaunchIn: Duration)
    case schedulerViolated(Violation)
    case schedulerSilent(Duration)
    case workerLaunched(TaskClass, processID: UInt64)
    case workerEnded(TaskClass, status: Int32, relaunchIn: Duration?)
    case workerNotLaunched(TaskClass, errno: Int32, relaunchIn: Duration)
    case workerKillAsked(TaskClass)
    case stopping
    case graceOver

    var description: String {
        switch self {
        case .schedulerEnded(let status, let delay):
            "scheduler \(WaitStatusText.words(status)); workers are killed, it starts again in \(delay)"
        case .schedulerNotLaunched(let errno, let delay):
            "cannot launch scheduler: errno \(errno); trying again in \(delay)"
        case .schedulerViolated(.closed):
            "scheduler closed its channel; what is left of it is killed"
        case .schedulerViolated(let violation):
            "scheduler broke the channel's rules: \(Self.words(violation)); it is killed"
        case .schedulerSilent(let time):
            "scheduler did not answer for \(time); it is killed and starts again"
        case .workerLaunched(let taskClass, let pid):
            "worker \(taskClass.name) runs as process \(pid)"
        case .workerEnded(let taskClass, let status, .some(let delay)):
            "worker \(taskClass.name) \(WaitStatusText.words(status)); it starts again in \(delay)"
        case .workerEnded(let taskClass, let status, .none):
            "worker \(taskClass.name) \(WaitStatusText.words(status))"
        case .workerNotLaunched(let taskClass, let errno, let delay):
            "cannot launch worker \(taskClass.name): errno \(errno); trying again in \(delay)"
        case .workerKillAsked(let taskClass):
            "scheduler asks to kill class \(taskClass.name)"
        case .stopping:
            "stopping"
        case .graceOver:
            "scheduler did not stop in time; it is killed"
        }
    }

    private static func words(_ violation: Violation) -> String {
        switch violation {
        case .undecodable: "a message that is none"
        case .closed: "the channel is closed"
        case .unread: "messages are not read"
        case .wrongDirection: "a message of the other direction"
        case .outOfTurn: "a launch of a class that runs"
        case .unasked: "an answer to nothing"
        }
    }
}
