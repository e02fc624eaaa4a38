// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import SchedulerCore

/// A class's worker and its pipes.
struct WorkerModel {
    let workerID: WorkerID
    /// Counts its processes.
    var incarnation = 0
    var isAlive = false
    var isLaunching = false
    var isBeingKilled = false
    var capacity = 4
    var wallLimit: Duration?
    /// Attempts that it has, the canary's apart.
    var running: [UInt64] = []
    /// Deaths in a row: the supervisor waits longer each time.
    var deaths = 0
    var launchedAt = Span.zero
    var hangsUntil = Span.zero
    /// Something was done to it, or it to others, for which it may be killed.
    var isSuspect = false
    var hostility: Hostility?
    var forgetsNext = false
    var canaryFault: CanaryFault?
    var launchFailures = 0
    var reportDelay = Span.zero
    var reportsLateUntil = Span.zero
    /// When the last report comes in: none overtakes another.
    var lastArrival = Span.zero
    var swapped: Delivery?
    var pipeFullUntil = Span.zero
    /// The rim's `isFull`: an order found no room, later ones wait behind it.
    var isPipeBlocked = false
    /// Orders are read in the order in which they left.
    var lastRead = Span.zero

    init(_ workerID: WorkerID) { self.workerID = workerID }
}

/// An attempt in a worker, as it is: what the core believes of it is checked against this.
struct RunModel {
    enum Step { case start, line, progress, end }

    var order: AttemptOrder
    var workerID: WorkerID
    var incarnation: Int
    var isCanary: Bool
    var sequence: UInt32 = 0
    /// Its processes are gone.
    var isOver = false
    /// How it ended by itself; nil where its worker went.
    var exit: AttemptExit?
    /// Whether it started under a policy that lets it run beside another.
    var mayOverlap = false
    /// Its worker lost it: it never ends.
    var isForgotten = false
    var cancelled: CancelReason?
    /// Its present end; a cancel moves it.
    var generation = 0
    var endsAt = Span.never
    var plannedExit: AttemptExit
    var ignoresCancel = false
    /// A report of it was left out: the next one is out of order.
    var isMissingReport = false
}
