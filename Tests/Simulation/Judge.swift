// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import SchedulerCore

/// What the checks remember; none of it is known to the core.
struct Judge {
    var violation: Violation?

    // Requests.
    var asked: [RequestID: Asked] = [:]
    var lastRequest: RequestID = 0
    /// Numbers of definitions that the store took, and of those whose request was refused.
    var usedNumbers: Set<Int> = []
    var refusedNumbers: Set<Int> = []
    /// What stands in the store of executions that somebody asked for.
    var requested: Set<String> = []
    /// Executions that were answered to be cancelled.
    var cancelled: Set<String> = []
    /// What a task was answered to be.
    var expected: [String: Bool] = [:]
    /// When somebody last meddled with a task.
    var touched: [TaskID: Span] = [:]

    // Tasks and executions.
    /// The numbers of all definitions that an identity had.
    var history: [String: [Int]] = [:]
    var ran: [OccurrenceKey: String] = [:]
    /// The instant whose claim is about to be taken back.
    var takenBack: OccurrenceKey?
    var claimedAt: [String: Span] = [:]
    var latestAttempt: [String: UInt64] = [:]
    /// Attempts whose orders left.
    var ordered: Set<UInt64> = []
    var namedRows: Set<OccurrenceKey> = []
    /// When a row was written last.
    var decidedAt: [OccurrenceKey: Span] = [:]
    /// Plans that moved on in the batch that is being written.
    var moved: [(key: TaskKey, from: Instant, to: Instant?, table: Planner.Timetable)] = []
    var latestWall = Instant(microseconds: .min)
    /// The latest instant that can have been claimed as yet, by the lead of whoever claimed it.
    var claimedUntil = Instant(microseconds: .min)
    /// What was claimed up to here starts at once: the clock was set back, or the scheduler that had
    /// claimed it died.
    var letGoUntil = Instant(microseconds: .min)
    var rebootSeen: Set<OccurrenceKey> = []
    var rebootCount: [String: Int] = [:]

    // The scheduler.
    var bootID = ""
    /// Whether the store met damage: what cannot be written is given up, until the next start.
    var isDamaged = false
    /// Executions whose ends a damaged page took: the next scheduler finds them open, beside what
    /// was let run since.
    var strays: Set<String> = []
    var lifeBegan = Span.zero
    var stopBegun: Span?
    var excused = Span.zero
    /// The turn since which a stop has nothing left to wait for.
    var stopIdleSince: Int?
    var stepsBack = 0
    var handledAt = Instant(microseconds: 0)
    var turns = 0
    /// Whether a batch was answered since core and store were compared.
    var hasCommitted = true
    var turnsOfSecond = 0
    var secondBegun = Span.zero
    var exitsTold = Array(repeating: 0, count: WorkerID.maximumCount)
    var launchesTold = Array(repeating: 0, count: WorkerID.maximumCount)
    var present: (key: UInt64?, delivery: Delivery)?

    /// Since when each class takes orders and has room for them.
    var openSince = Array(repeating: Span.never, count: WorkerID.maximumCount)
    /// Attempts that stand as running and that no worker has read, and since when.
    var unread: [UInt64: Span] = [:]
    /// More deaths of the scheduler break a rule that only tests make.
    var mostCrashes = Int.max
    var crashes = 0

    // Quiet.
    var quiet: Scenario.Quiet?
    var warmWall: Instant?
    var isQuietJudged = false
    var since: [String: (state: String, at: Span)] = [:]
    /// Since when changes wait that nobody is writing.
    var unwrittenSince: Span?

    mutating func violate(_ check: Check, _ words: @autoclosure () -> String) {
        if violation == nil { violation = Violation(check: check, words: words()) }
    }

    mutating func begin(life: Int, at now: Span, bootID: String, bootedAt: Span) {
        lifeBegan = now
        isDamaged = false
        letGo()
        self.bootID = bootID
        stopBegun = nil
        stopIdleSince = nil
        excused = .zero
        since = [:]
        unwrittenSince = nil
        exitsTold = exitsTold.map { _ in 0 }
        launchesTold = launchesTold.map { _ in 0 }
        unread = [:]
        latestWall = Instant(microseconds: .min)
    }

    /// An event comes at this moment of the wall clock, to a scheduler with this lead.
    mutating func handle(at wall: Instant, ahead: Duration) {
        if wall < handledAt { letGo() }
        handledAt = wall
        claimedUntil = wall + ahead
        latestWall = max(latestWall, wall)
    }

    private mutating func letGo() { letGoUntil = max(letGoUntil, claimedUntil) }

    /// Whoever waited for a reply sees its connection end.
    mutating func schedulerEnded() {
        crashes += 1
        if crashes > mostCrashes { violate(.testOnly, "the scheduler died once too often") }
        asked = [:]
        expected = [:]
        stopBegun = nil
    }

    /// Time in which nobody could do anything.
    mutating func excuse(_ time: Span) {
        excused = excused + time + .seconds(10)
        openSince = openSince.map { _ in .never }
    }

    mutating func beginQuiet(_ quiet: Scenario.Quiet) {
        self.quiet = quiet
        warmWall = nil
        isQuietJudged = false
        since = [:]
        unwrittenSince = nil
    }
}

extension Scenario {
    /// What a row's texts mean.
    func table(of task: StoredTask) -> Planner.Timetable? {
        let number = TaskSpec.number(in: task.policies)
        guard specs.indices.contains(number) else { return nil }
        return specs[number].table(createdAt: task.createdAt)
    }
}
