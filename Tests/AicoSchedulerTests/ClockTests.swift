// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoConfig
import AicoCore
import AicoStore
import AicoWire
import Glibc
import Logging
import Testing

@testable import AicoScheduler

/// A clock that is set, seen from inside: the machine's own cannot be set by a test.
@Suite(.serialized)
struct ClockTests {
    private let root: InstanceRoot
    private let channel: Int32
    private let other: Int32

    init() throws {
        root = try InstanceRoot()
        var ends: [Int32] = [-1, -1]
        try #require(socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue), 0, &ends) == 0)
        (channel, other) = (ends[0], ends[1])
    }

    /// A scheduler that has read its tasks; the test turns its loop.
    private func scheduler() throws -> Scheduler {
        let scheduler = try Scheduler(
            configuration: try Configuration.load(root: root.path), channel: channel,
            monitor: FixedLoad(nil), log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try scheduler.start()
        scheduler.flush()
        return scheduler
    }

    private func end(_ scheduler: Scheduler) {
        scheduler.finish()
        close(channel)
        close(other)
    }

    @Test func aStepBackPlansAnew() throws {
        let now = Instant.now
        try root.put("* * * * *", created: now - .seconds(60), nextRun: now + .seconds(3600))
        let scheduler = try scheduler()
        let entry = try #require(scheduler.tasks[TaskID("user.one")])
        // As if the clock had stood an hour later until now.
        scheduler.clockOffset += .seconds(3600)
        scheduler.checkClock(wasSet: false)
        let next = try #require(entry.task.nextRun)
        #expect(next > scheduler.now)
        #expect(next <= scheduler.now + .seconds(60))
        scheduler.flush()
        end(scheduler)
        let store = try root.store()
        #expect(try store.task(TaskID("user.one"))?.nextRun == next)
        try store.close()
    }

    @Test(arguments: [-3600, -1, 0])
    func aStepForwardAndASmallOneChangeNoPlan(seconds: Int) throws {
        let now = Instant.now
        let planned = now + .seconds(3600)
        try root.put("* * * * *", created: now - .seconds(60), nextRun: planned)
        let scheduler = try scheduler()
        scheduler.clockOffset += .seconds(seconds)
        scheduler.checkClock(wasSet: false)
        #expect(try scheduler.tasks[TaskID("user.one")]?.task.nextRun == planned)
        end(scheduler)
    }

    @Test func anInstantThatRanBeforeTheStepDoesNotRunAgain() throws {
        let now = Instant.now
        let instant = Instant(seconds: (now.seconds / 60 + 1) * 60)
        try root.put("* * * * *", created: now - .seconds(60), nextRun: now + .seconds(3600))
        let id = try TaskID("user.one")
        let store = try root.store()
        let claim = Claim(
            task: id, plannedAt: instant, executionID: ExecutionID.make(), trigger: .schedule,
            at: instant, nextRun: .keep)
        guard case .claimed(let attempt, _) = try store.perform([.claim(claim)]).first else {
            Issue.record("the instant was not claimed")
            return
        }
        let over = ExecutionEnd(outcome: "succeeded", success: true)
        try store.perform([
            .endAttempt(
                AttemptEnd(
                    attempt: attempt, at: instant, outcome: "succeeded", ending: Array("{}".utf8),
                    next: .ended(over)))
        ])
        try store.close()
        let scheduler = try scheduler()
        scheduler.clockOffset += .seconds(3600)
        scheduler.checkClock(wasSet: false)
        let entry = try #require(scheduler.tasks[id])
        #expect(entry.task.nextRun == instant)
        scheduler.pipe(.user).worker = .ready
        scheduler.now = instant
        scheduler.fire(id)
        scheduler.admit()
        #expect(scheduler.running == 1)
        scheduler.flush()
        #expect(scheduler.attempts.isEmpty)
        #expect(scheduler.runs.isEmpty)
        #expect(entry.open.isEmpty)
        #expect(scheduler.running == 0)
        #expect(try scheduler.store.history(task: "user.one", limit: 10).count == 1)
        #expect(entry.task.nextRun == instant + .seconds(60))
        // The next one is free.
        scheduler.now = instant + .seconds(60)
        scheduler.fire(id)
        scheduler.admit()
        scheduler.flush()
        #expect(scheduler.attempts.values.map(\.run.plannedAt) == [instant + .seconds(60)])
        end(scheduler)
    }
}
