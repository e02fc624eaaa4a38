// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire

/// What can happen to the supervisor.
enum SupervisorEvent: Equatable {
    /// A well-formed message from the scheduler.
    case message(SupervisorMessage)
    /// The channel broke a rule: wrong length, undecodable, closed, or not read.
    case violation(Violation)
    /// The scheduler's process is gone and reaped.
    case schedulerExited(status: Int32, ranFor: Duration)
    /// A launch of the scheduler failed.
    case schedulerLaunchFailed(errno: Int32)
    /// A worker was launched.
    case workerLaunched(WorkerID, processID: UInt64)
    /// A launch of a worker failed.
    case workerLaunchFailed(WorkerID, errno: Int32, words: [UInt8] = [])
    /// A worker is gone and reaped.
    case workerExited(WorkerID, status: Int32, ranFor: Duration, words: [UInt8] = [])
    /// A timer fired.
    case timer(SupervisorTimer)
    /// The supervisor itself did not run for a while: it was stopped, or the machine was.
    case overslept
    /// TERM or INT came.
    case stopSignal
}

/// How the scheduler broke the channel's rules.
enum Violation: Equatable {
    case undecodable
    case closed
    case unread
    /// A message that is the supervisor's to send.
    case wrongDirection
    /// LAUNCH of a worker that was launched already.
    case outOfTurn
    /// PONG for a ping that was not sent, or was answered already.
    case unasked
}

/// The timers of the supervisor; each runs at most once at a time.
enum SupervisorTimer: Hashable {
    case relaunchScheduler
    case relaunchWorker(WorkerID)
    /// The scheduler is asked for a sign of life.
    case heartbeat
    case stopGrace
}

/// What the supervisor does in answer to an event, in order.
enum SupervisorAction: Equatable {
    case launchScheduler
    /// Kills the scheduler's cgroup.
    case killScheduler
    /// Launches a worker; answered by workerLaunched or workerLaunchFailed.
    case launchWorker(WorkerID)
    /// Kills a worker's cgroup.
    case killWorker(WorkerID)
    case send(SupervisorMessage)
    case startTimer(SupervisorTimer, Duration)
    case stopTimer(SupervisorTimer)
    case log(SupervisorNote)
    /// As `finish`, with the status of a configuration that is refused: the scheduler said why.
    case refuseStart
    /// Kills what is left, removes the cgroups and ends with status 0.
    case finish
}
