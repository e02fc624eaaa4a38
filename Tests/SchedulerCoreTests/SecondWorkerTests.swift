// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Testing

@testable import SchedulerCore

/// Two workers of one class: types, places, deaths and canaries.
@Suite struct SecondWorkerTests {
    private static let workers = (try? WorkerID.list(beside: ["acme-worker-user"])) ?? []
    private static var second: WorkerID { workers[4] }

    private static var settings: CoreSettings {
        var settings = CoreSettings()
        settings.workers = workers
        settings.typeWorkers = ["user.command": .user, "user.theirs": second]
        settings.undescribed = []
        return settings
    }

    private func make(_ run: inout CoreRun, _ id: String, type: String) throws {
        var task = try CoreRun.task(id, "0 0 1 1 *", at: run.wall)
        task.record.type = type
        run.request(.create(task), id: 1)
        _ = run.take()
    }

    private func begin(_ run: inout CoreRun, _ id: String) throws -> (WorkerID, AttemptOrder)? {
        run.request(.run(try TaskID(id)))
        for action in run.take() {
            if case .send(let worker, .run(let order)) = action,
                !order.taskType.hasSuffix(".canary")
            {
                return (worker, order)
            }
        }
        return nil
    }

    @Test func anAttemptGoesToTheWorkerThatHasItsType() throws {
        var run = try CoreRun(Self.settings)
        try make(&run, "user.a", type: "user.command")
        try make(&run, "custom.b", type: "user.theirs")
        #expect(try begin(&run, "user.a")?.0 == .user)
        #expect(try begin(&run, "custom.b")?.0 == Self.second)
    }

    /// A report of an attempt is the worker's own, not its class's.
    @Test func oneCannotSpeakForTheOther() throws {
        var run = try CoreRun(Self.settings)
        try make(&run, "user.a", type: "user.command")
        let (_, order) = try #require(try begin(&run, "user.a"))
        run.report(
            Self.second,
            .started(
                attempt: order.attempt, sequence: 0, layers: LayerReport(held: [], missing: []),
                at: run.wall))
        #expect(run.core.worker(Self.second).state == .quarantined)
        #expect(run.take().killed == [Self.second])
        try run.start(order)
        try run.finish(order)
        #expect(run.core.executions.isEmpty)
    }

    @Test func thePlacesAreTheClasses() throws {
        var settings = Self.settings
        settings.classConcurrency[.user] = 1
        var run = try CoreRun(settings)
        try make(&run, "user.a", type: "user.command")
        try make(&run, "user.b", type: "user.theirs")
        let (_, first) = try #require(try begin(&run, "user.a"))
        #expect(try begin(&run, "user.b") == nil)
        let waiting = try #require(run.core.executions.values.first { $0.state == .queued })
        #expect(run.core.blocker(of: waiting) == .classConcurrency)
        try run.start(first)
        try run.finish(first)
        #expect(run.take().orders.map(\.taskID) == ["user.b"])
    }

    /// What it says of itself bounds what it is given, and no other worker.
    @Test func itsCapacityIsItsOwn() throws {
        var run = try CoreRun(Self.settings)
        run.report(
            Self.second,
            .hello(
                processID: 1, capacity: 1, wallLimit: nil,
                layers: LayerReport(held: [], missing: [])))
        try make(&run, "user.a", type: "user.command")
        try make(&run, "user.b", type: "user.command")
        try make(&run, "user.c", type: "user.theirs")
        #expect(try begin(&run, "user.a") != nil)
        #expect(try begin(&run, "user.c") == nil, "one of the class runs")
        #expect(try begin(&run, "user.b") != nil)
    }

    /// Orders that had not left as their worker died hold no place of its class, and count as no
    /// attempt of their tasks.
    @Test func whatADeadWorkerNeverGotHoldsNoPlace() throws {
        var settings = Self.settings
        settings.classConcurrency[.user] = 1
        var run = try CoreRun(settings)
        try make(&run, "user.a", type: "user.command")
        try make(&run, "user.b", type: "user.theirs")
        let (worker, order) = try #require(try begin(&run, "user.b"))
        #expect(worker == Self.second)
        // Its pipe is full.
        run.feed(.unsent(Self.second, .run(order)))
        run.turn()
        run.feed(.worker(Self.second, .exited(status: 11, words: "")))
        run.pass(.seconds(1))
        #expect(run.core.running == 0)
        let waiting = try #require(run.core.executions[order.executionID])
        #expect(waiting.state == .queued && waiting.attempts == 0)
        let (_, first) = try #require(try begin(&run, "user.a"))
        try run.start(first)
        try run.finish(first)
        _ = run.take()
        try run.makeReady(Self.second)
        let again = try #require(run.take().orders.first)
        #expect(again.executionID == order.executionID && again.attemptNumber == 1)
    }

    @Test func oneDiesAndTheOthersAttemptsGoOn() throws {
        var run = try CoreRun(Self.settings)
        try make(&run, "user.a", type: "user.command")
        try make(&run, "user.b", type: "user.theirs")
        let (_, first) = try #require(try begin(&run, "user.a"))
        let (_, second) = try #require(try begin(&run, "user.b"))
        run.feed(.worker(Self.second, .exited(status: 11, words: "a bug of mine")))
        run.turn()
        #expect(run.core.executions[second.executionID]?.state != .running)
        #expect(run.core.executions[first.executionID]?.state == .running)
        #expect(run.core.worker(.user).isReady && run.core.worker(.user).deaths == 0)
        for _ in 0..<2 {
            run.feed(.worker(Self.second, .launched(processID: 8)))
            run.feed(.worker(Self.second, .exited(status: 11, words: "a bug of mine")))
        }
        let checks = HealthRules.judge(run.core.healthFacts).checks
        let check = try #require(checks.first { $0.name == "worker.acme-worker-user" })
        #expect(check.status == .critical && check.message.contains("a bug of mine"))
        #expect(checks.first { $0.name == "worker.user" }?.status == .healthy)
        try run.start(first)
        try run.finish(first)
        #expect(run.core.executions[first.executionID] == nil)
    }

    @Test func anOpenCanaryStopsItsWorkerAlone() throws {
        var run = try CoreRun(Self.settings)
        try make(&run, "user.a", type: "user.command")
        try make(&run, "user.b", type: "user.theirs")
        run.feed(.worker(Self.second, .exited(status: 9, words: "")))
        run.feed(.worker(Self.second, .launched(processID: 8)))
        run.answerPing(Self.second)
        let canary = try #require(run.core.worker(Self.second).canary?.order)
        run.report(
            Self.second,
            .finished(
                attempt: canary.attempt, sequence: 0,
                exit: AttemptExit(
                    reply: .none, exit: .exited(code: 0), cause: nil, usage: .none)))
        run.turn()
        #expect(run.core.worker(Self.second).state == .canaryFailed)
        #expect(try begin(&run, "user.a")?.0 == .user)
        #expect(try begin(&run, "user.b") == nil)
        let waiting = try #require(run.core.executions.values.first { $0.state == .queued })
        #expect(
            run.core.waits(waiting).detail.hasPrefix(
                "worker acme-worker-user takes no orders: "))
    }

    /// A type that nobody has, as one that two describe, is given to nobody.
    @Test func whatNoWorkerHasWaits() throws {
        var run = try CoreRun(Self.settings)
        try make(&run, "user.a", type: "user.nobodys")
        #expect(try begin(&run, "user.a") == nil)
        let waiting = try #require(run.core.executions.values.first { _ in true })
        let waits = run.core.waits(waiting)
        #expect(waits.reason == .worker)
        #expect(
            waits.detail == "no worker has its type \"user.nobodys\"; see aico scheduler health")
        run.request(.cancelTask(try TaskID("user.a"), now: false))
        #expect(run.core.executions.isEmpty)
    }

    @Test func theSystemIsReadyWithTheFour() throws {
        var core = SchedulerCore(
            settings: Self.settings, at: Time(wall: Instant(seconds: 1), boot: .zero))
        let actions = core.handle(
            .start(StartFacts()), at: Time(wall: Instant(seconds: 1), boot: .zero))
        let launched = actions.compactMap { action -> WorkerID? in
            if case .launchWorker(let worker) = action { worker } else { nil }
        }
        #expect(launched == Self.workers)
        var run = try CoreRun(Self.settings)
        run.feed(.worker(Self.second, .exited(status: 9, words: "")))
        run.feed(.worker(.user, .exited(status: 9, words: "")))
        _ = run.take()
        try run.makeReady(.user)
        #expect(
            run.take().contains {
                if case .log(let note) = $0 { note.message.hasPrefix("ready:") } else { false }
            })
    }
}
