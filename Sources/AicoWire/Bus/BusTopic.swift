// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// What a bus client may do; each role may do all that the one before may.
package enum BusRole: String, Sendable, CaseIterable, Comparable {
    /// Reads.
    case viewer
    /// Runs, cancels, enables and disables.
    case `operator`
    /// Everything.
    case admin

    /// Compares by what they may do.
    package static func < (left: BusRole, right: BusRole) -> Bool { left.rank < right.rank }

    private var rank: Int {
        switch self {
        case .viewer: 0
        case .operator: 1
        case .admin: 2
        }
    }
}

/// The topics of requests: the first frame of a request and of its reply.
package enum BusTopic: String, Sendable, CaseIterable {
    case taskCreate = "scheduler.task.create"
    case taskUpdate = "scheduler.task.update"
    case taskDelete = "scheduler.task.delete"
    case taskEnable = "scheduler.task.enable"
    case taskDisable = "scheduler.task.disable"
    case taskRun = "scheduler.task.run"
    case taskCancel = "scheduler.task.cancel"
    case taskStatus = "scheduler.task.status"
    case taskList = "scheduler.task.list"
    case taskHistory = "scheduler.task.history"
    case taskLogs = "scheduler.task.logs"
    case taskNext = "scheduler.task.next"
    case stats = "scheduler.stats"
    case health = "scheduler.health"
    case deadLetterList = "scheduler.dlq.list"
    case deadLetterRetry = "scheduler.dlq.retry"
    case deadLetterPurge = "scheduler.dlq.purge"
    case supervisorStatus = "supervisor.status"
    case supervisorDrain = "supervisor.drain"
    case supervisorReload = "supervisor.reload"
    case supervisorStop = "supervisor.stop"

    /// The longest accepted topic, in bytes.
    package static let maximumLength = 128

    /// The least role that may send it.
    package var role: BusRole {
        switch self {
        case .taskStatus, .taskList, .taskHistory, .taskLogs, .taskNext, .stats, .health,
            .deadLetterList, .supervisorStatus:
            .viewer
        case .taskRun, .taskCancel, .taskEnable, .taskDisable, .deadLetterRetry:
            .operator
        case .taskCreate, .taskUpdate, .taskDelete, .deadLetterPurge, .supervisorDrain,
            .supervisorReload, .supervisorStop:
            .admin
        }
    }
}

/// The topics of events: the first frame of what the scheduler publishes.
package enum BusEventTopic: String, Sendable, CaseIterable {
    case executionStarted = "scheduler.event.execution.started"
    case executionProgress = "scheduler.event.execution.progress"
    case executionLog = "scheduler.event.execution.log"
    case executionFinished = "scheduler.event.execution.finished"
    case executionRetry = "scheduler.event.execution.retry"
    case executionDeadLetter = "scheduler.event.execution.dead_letter"
    case executionDeferred = "scheduler.event.execution.deferred"
    case executionSkipped = "scheduler.event.execution.skipped"
    case health = "scheduler.event.health"
    case worker = "scheduler.event.worker"

    /// What every event's topic begins with.
    package static let prefix = "scheduler.event."
}

/// Why a request was refused; the texts are part of the protocol.
package enum BusErrorCode: String, Sendable, CaseIterable {
    /// The frames or the JSON are not a request.
    case malformed
    /// The request is longer than permitted.
    case tooLarge = "too_large"
    /// No request has this topic.
    case unknownTopic = "unknown_topic"
    /// The protocol version is not spoken.
    case unsupportedVersion = "unsupported_version"
    /// The client's role may not do this.
    case notPermitted = "not_permitted"
    /// The task or execution does not exist.
    case notFound = "not_found"
    /// A value of the body was refused.
    case invalid
    /// The state of things does not permit it, as a task id that exists already.
    case conflict
    /// It cannot be done now, as while draining.
    case unavailable
    /// The scheduler failed.
    case `internal`
}
