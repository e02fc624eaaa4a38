// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import SchedulerCore

/// What a client asks for; tasks are named by their place in the scenario.
enum Call: Sendable {
    /// Makes the task of the specification with this number.
    case create(Int)
    case update(Int)
    case setEnabled(TaskID, Bool)
    case delete(TaskID)
    case run(TaskID)
    case cancel(TaskID, now: Bool)
    /// Ends the n-th of what is not over.
    case cancelExecution(Int, now: Bool)
    /// Sends the n-th dead letter back.
    case retryLetter(Int)
    case purgeLetter(Int)
    case purgeLetters
    case stop
}

/// How a worker breaks the protocol with its next report.
enum Hostility: Sendable, CaseIterable {
    case double, skip, swap, foreign, malformed
}

/// What goes wrong with a class's next canary.
enum CanaryFault: Sendable, CaseIterable {
    case open, survives, never
}

/// What is done to the system from outside; the shrinker leaves out what a violation needs not.
enum Input: Sendable {
    /// One client's calls; those of clients that send in one instant come among each other's.
    case calls([Call], from: Int = 0)
    case incidents(Int)
    case storeSlow(by: Span, for: Span)
    case storeFails(StoreFailure, for: Span)
    /// The next task's row that is to be written is refused alone.
    case storeRefuses
    /// Rows of a task, and of its executions, are on a damaged page.
    case storeDamaged(TaskID, for: Span)
    /// The scheduler dies after so many actions; a batch on its way is written or not.
    case crash(after: Int, down: Span, isBatchKept: Bool, settings: Int, isReboot: Bool)
    case stop(down: Span, settings: Int)
    case supervisorLost(down: Span)
    case workerDies(WorkerID)
    case workerBreaks(WorkerID, Hostility)
    case workerHangs(WorkerID, for: Span)
    case workerForgets(WorkerID)
    case canary(WorkerID, CanaryFault)
    case launchFails(WorkerID, times: Int)
    case pipeFull(WorkerID, for: Span)
    case reportsLate(WorkerID, by: Span, for: Span)
    case step(Span)
    case suspend(Span)
    case pause(Span)
    case load(MachineLoad, for: Span)

    /// Whether it is something that goes wrong.
    var isFault: Bool {
        switch self {
        case .calls, .stop: false
        default: true
        }
    }
}

/// An input with its time and its place in the scenario.
struct TimedInput: Sendable, CustomStringConvertible {
    var at: Span
    var index: Int
    var input: Input

    var description: String { "\(at)  #\(index)  \(input)" }
}

/// A task that a client may make, and what it does.
struct TaskSpec: Sendable {
    var number: Int
    var name: TaskID
    var type: String
    var schedule: Schedule
    var zone: ZoneRules
    var policies: TaskPolicies
    var isEnabled = true
    var origin = "admin"
    /// What the timetable makes of clocks that change; another than the policies' is a fault.
    var plannedDST: DSTPolicy?

    /// The definition as a client's request carries it, made at `createdAt`.
    func definition(createdAt: Instant, at now: Instant) -> TaskDefinition {
        let tag = Array("{\"n\":\(number)}".utf8)
        return TaskDefinition(
            record: StoredTask(
                key: TaskKey(id: name, uid: ""), type: type, schedule: schedule.text,
                timezone: zone.name, config: tag, policies: tag, enabled: isEnabled,
                origin: origin, createdAt: createdAt, updatedAt: now),
            table: table(createdAt: createdAt))
    }

    func table(createdAt: Instant) -> Planner.Timetable {
        var policies = policies
        if let plannedDST { policies.dst = plannedDST }
        return Planner.Timetable(
            schedule: schedule, zone: zone, created: createdAt, policies: policies)
    }

    /// The number that a row's config or policies carry; -1 where they carry none.
    static func number(in bytes: [UInt8]) -> Int {
        var number = 0
        guard bytes.count > 6 else { return -1 }
        for byte in bytes[5..<bytes.count - 1] { number = number * 10 + Int(byte &- 48) }
        return number
    }
}
