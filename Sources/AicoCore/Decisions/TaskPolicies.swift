// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// What to do with instants that passed while nobody could start them.
package enum MisfirePolicy: String, Sendable, CaseIterable {
    /// The latest runs, the others are coalesced into it.
    case runOnce = "run_once"
    /// None runs.
    case skip
    /// All run, up to a cap.
    case runAll = "run_all"
}

/// What to do with an instant that comes while an execution of its task is still open.
package enum OverlapPolicy: String, Sendable, CaseIterable {
    /// It does not run.
    case skip
    /// It waits, if none waits already.
    case queueOne = "queue_one"
    /// It waits behind all that wait.
    case queueAll = "queue_all"
    /// The open execution is cancelled, then it runs.
    case cancelOld = "cancel_old"
    /// It runs beside the other.
    case allow
}

/// What to do with an attempt whose worker or scheduler died under it.
package enum CrashPolicy: String, Sendable, CaseIterable {
    /// A further attempt: at least once.
    case rerun
    /// The execution ends as interrupted: at most once.
    case fail
}

/// How a task runs, apart from when.
package struct TaskPolicies: Sendable, Hashable {
    /// The longest an attempt may take; nil is the type's own, else the class's.
    package var timeout: Duration?
    /// From the request to end to the kill.
    package var grace: Duration
    /// Further attempts.
    package var retry: RetryPolicy
    /// For instants missed while down.
    package var misfire: MisfirePolicy
    /// How far back missed instants count.
    package var catchUpWindow: Duration
    /// For instants that come while one is open.
    package var overlap: OverlapPolicy
    /// The most by which the task starts later than planned; stable per task.
    package var jitter: Duration
    /// Of what waits, the highest starts first.
    package var priority: Int
    /// Starts only on an idle machine.
    package var idleOnly: Bool
    /// How long resources may put a start off; see `Admission`.
    package var maximumDefer: Duration
    /// For attempts whose worker or scheduler died.
    package var onCrash: CrashPolicy
    /// Where clocks change.
    package var dst: DSTPolicy

    /// Makes policies; the defaults are those of a task that says nothing.
    package init(
        timeout: Duration? = nil, grace: Duration = .seconds(5),
        retry: RetryPolicy = RetryPolicy(), misfire: MisfirePolicy = .runOnce,
        catchUpWindow: Duration = .seconds(86400), overlap: OverlapPolicy = .skip,
        jitter: Duration = .zero, priority: Int = 0, idleOnly: Bool = false,
        maximumDefer: Duration = .seconds(600), onCrash: CrashPolicy = .fail,
        dst: DSTPolicy = DSTPolicy()
    ) {
        self.timeout = timeout
        self.grace = grace
        self.retry = retry
        self.misfire = misfire
        self.catchUpWindow = catchUpWindow
        self.overlap = overlap
        self.jitter = jitter
        self.priority = priority
        self.idleOnly = idleOnly
        self.maximumDefer = maximumDefer
        self.onCrash = onCrash
        self.dst = dst
    }
}
