// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import AicoCore

/// What can happen to the scheduler.
package enum Event: Sendable {
    /// The store was read; the first event.
    case start(StartFacts)
    /// A client wants something changed.
    case request(RequestID, actor: String, Request)
    /// A batch was written, or nothing of it was.
    case committed(token: UInt64, BatchResult)
    /// A worker reported; hostile until checked.
    case report(WorkerID, Report)
    /// A worker's pipe gave bytes that are no report.
    case malformedReport(WorkerID, String)
    /// The supervisor tells of a worker.
    case worker(WorkerID, WorkerNews)
    /// An order found no room on its pipe: it has not left.
    case unsent(WorkerID, Order)
    /// A worker's orders pipe has room again.
    case writable(WorkerID)
    /// The machine was looked at.
    case load(MachineLoad)
    /// The store's write-ahead log was looked at.
    case writeAheadLog(bytes: Int, readers: [String])
    /// The wall clock was set: seen by the kernel, not by comparing.
    case clockSet
    /// The machine was suspended for so long.
    case suspended(Duration)
    /// A bus client did something that the audit log notes.
    case audit(actor: String, action: String, subject: String, detail: String)
    /// Nothing but time.
    case timer
    /// The supervisor says that the system stops.
    case stop
    /// The supervisor is gone, or talks nonsense.
    case supervisorLost
    /// The turn is over: what waits is decided, and what changed leaves for the store.
    case settle(Heard)
}

/// What a turn has read of what workers had sent.
package struct Heard: Sendable {
    /// Boot-time clock before the turn asked which pipes have reports.
    package var until: Duration
    /// Workers of which more was there than one turn takes.
    package var unread: Set<WorkerID>

    /// Makes one.
    package init(until: Duration, unread: Set<WorkerID> = []) {
        self.until = until
        self.unread = unread
    }
}

/// Names a request until its one reply.
package typealias RequestID = UInt64

/// What the supervisor tells of a worker.
package enum WorkerNews: Sendable, Hashable {
    /// It runs.
    case launched(processID: UInt64)
    /// It ended, with this wait status and these last words.
    case exited(status: Int32, words: String)
    /// It could not be launched, for this reason.
    case launchFailed(errno: Int32, words: String = "")
}

/// How busy the machine is, as far as that is known.
package enum MachineLoad: Sendable, Hashable {
    /// No measure exists yet.
    case notYet
    /// It cannot be told here.
    case unknowable
    /// As measured lately.
    case known(Admission.Load)
}

/// What the store had when the scheduler started.
package struct StartFacts: Sendable {
    /// Tasks, without those that do not open or parse.
    package var tasks: [TaskDefinition] = []
    /// The system's own tasks that are to be made where they are missing.
    package var builtIns: [TaskDefinition] = []
    /// Attempts written as running, with their executions.
    package var running: [(attempt: StoredAttempt, execution: StoredExecution)] = []
    /// Executions whose next attempt waits.
    package var waiting: [StoredExecution] = []
    /// Instants that wait.
    package var deferred: [StoredOccurrence] = []
    /// Whether the machine was booted since the last start of a scheduler.
    package var isNewBoot = false
    /// This boot's id, to be kept; empty where it cannot be told.
    package var bootID = ""
    /// What of the store could not be read, in words.
    package var damages: [String] = []

    package init() {}
}

/// A task that can be scheduled: its row, and what the row's texts mean.
package struct TaskDefinition: Sendable {
    /// Its row.
    package var record: StoredTask
    /// What the row's texts mean.
    package var table: Planner.Timetable

    /// Makes one.
    package init(record: StoredTask, table: Planner.Timetable) {
        self.record = record
        self.table = table
    }
}
