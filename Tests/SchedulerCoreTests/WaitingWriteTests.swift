// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Testing

@testable import SchedulerCore

/// What nobody waits for is written with what somebody does.
struct WaitingWriteTests {
    /// A task whose attempt was ordered, before its worker says a word.
    private static func ordered() throws -> (CoreRun, AttemptOrder) {
        var run = try CoreRun()
        try run.create("user.one", "@daily")
        run.request(.run(try TaskID("user.one")))
        let order = try #require(run.take().orders.first)
        run.isStoreWell = false
        return (run, order)
    }

    private static func line(_ order: AttemptOrder, _ sequence: UInt32, at: Instant) -> Report {
        .log(attempt: order.attempt, sequence: sequence, stream: .info, at: at, line: "a line")
    }

    @Test func aStartLeavesWithTheEnd() throws {
        var (run, order) = try Self.ordered()
        try run.start(order)
        run.report(.user, Self.line(order, 1, at: run.wall))
        run.turn()
        #expect(run.batches.isEmpty)
        try run.finish(order, sequence: 2)
        let batch = try #require(run.batches.first)
        #expect(run.batches.count == 1)
        let kinds = batch.changes.map { change in
            switch change {
            case .attemptConfined: "confined"
            case .log: "log"
            case .endAttempt: "end"
            default: "\(change)"
            }
        }
        #expect(kinds == ["confined", "log", "end"])
        #expect(run.take().published.isEmpty)
        run.answerStore()
        #expect(
            run.take().published.map(\.name) == ["started", "log", "finished"])
    }

    @Test func aStartWithoutEndLeavesOnceItsPatienceIsOver() throws {
        var (run, order) = try Self.ordered()
        try run.start(order)
        run.pass(run.core.settings.writePatience - .milliseconds(1))
        #expect(run.batches.isEmpty)
        run.pass(.milliseconds(1))
        #expect(run.batches.count == 1)
        run.answerStore()
        #expect(run.take().published.map(\.name) == ["started"])
        // Once written it arms nothing: an idle scheduler does not wake up.
        #expect(run.core.bootTimers.time(of: .waitingWrites) == nil)
    }

    @Test func nothingWaitsForCompanyDuringAStop() throws {
        var (run, order) = try Self.ordered()
        run.feed(.stop)
        run.turn()
        run.answerStore()
        try run.start(order)
        #expect(run.batches.count == 1)
    }
}

extension Published {
    fileprivate var name: String {
        switch self {
        case .started: "started"
        case .log: "log"
        case .finished: "finished"
        default: "\(self)"
        }
    }
}
