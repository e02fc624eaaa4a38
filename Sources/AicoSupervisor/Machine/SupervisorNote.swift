// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore

/// The supervisor's log lines; all their wording is here.
enum SupervisorNote: Equatable, CustomStringConvertible {
    case schedulerEnded(status: Int32, relaunchIn: Duration)
    case schedulerNotLaunched(errno: Int32, relaunchIn: Duration)
    case schedulerViolated(Violation)
    case schedulerSilent(Duration)
    case workerLaunched(WorkerID, processID: UInt64)
    case workerEnded(WorkerID, status: Int32, relaunchIn: Duration?)
    case workerNotLaunched(WorkerID, errno: Int32, relaunchIn: Duration)
    case workerKillAsked(WorkerID)
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
        case .workerLaunched(let worker, let pid):
            "worker \(worker.label) runs as process \(pid)"
        case .workerEnded(let worker, let status, .some(let delay)):
            "worker \(worker.label) \(WaitStatusText.words(status)); it starts again in \(delay)"
        case .workerEnded(let worker, let status, .none):
            "worker \(worker.label) \(WaitStatusText.words(status))"
        case .workerNotLaunched(let worker, let errno, let delay):
            "cannot launch worker \(worker.label): errno \(errno); trying again in \(delay)"
        case .workerKillAsked(let worker):
            "scheduler asks to kill worker \(worker.label)"
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
        case .outOfTurn: "a launch of a worker that runs"
        case .unasked: "an answer to nothing"
        }
    }
}
