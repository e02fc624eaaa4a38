// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Testing

@testable import SchedulerCore

/// A worker that does not answer is killed and launched anew, wherever it stands.
struct SilenceTests {
    /// Where a worker is as it falls silent.
    enum Case: CaseIterable {
        case launched, launchedAndFull, probing, probingAndFull, ready, readyAndFull, readyWithOrder

        /// From then on until it is killed.
        var patience: Duration {
            switch self {
            case .launched, .launchedAndFull: .seconds(60)
            case .probing, .probingAndFull: .seconds(10)
            case .ready, .readyAndFull, .readyWithOrder: .seconds(30)
            }
        }

        var why: String {
            switch self {
            case .launched, .launchedAndFull: "answered no ping since its launch for 60 s"
            case .probing, .probingAndFull: "gave no sign of its canary for 10 s"
            case .ready, .readyAndFull, .readyWithOrder: "gave no sign of life for 20 s"
            }
        }

        func begin(_ run: inout CoreRun) throws {
            switch self {
            case .launched, .launchedAndFull, .probing, .probingAndFull:
                run.feed(.worker(.user, .exited(status: 9, words: "")))
                run.turn()
                run.silent = [.user]
                run.feed(.worker(.user, .launched(processID: 8)))
                if self == .launchedAndFull { fill(&run) }
                if self == .probing || self == .probingAndFull { run.answerPing(.user) }
                if self == .probingAndFull, let canary = run.core.worker(.user).canary {
                    run.feed(.unsent(.user, .run(canary.order)))
                }
            case .ready, .readyAndFull: run.silent = [.user]
            case .readyWithOrder:
                run.silent = [.user]
                try run.create("user.one", "@yearly", TaskPolicies(timeout: .seconds(900)))
                run.request(.run(try TaskID("user.one")))
                let order = try #require(run.take().orders.first)
                run.feed(.unsent(.user, .run(order)))
            }
            run.turn()
            _ = run.take()
        }

        /// Passes time; a ping that leaves meanwhile finds no room.
        func pass(_ run: inout CoreRun, _ time: Duration) {
            guard self == .readyAndFull else { return run.pass(time) }
            let end = run.boot + time
            if run.core.worker(.user).askedAt == nil { run.pass(.seconds(10)) }
            if !run.core.worker(.user).isBlocked { fill(&run) }
            run.pass(end - run.boot)
        }

        private func fill(_ run: inout CoreRun) {
            run.feed(.unsent(.user, .ping(nonce: run.core.worker(.user).nonce)))
        }
    }

    @Test(arguments: Case.allCases)
    func whatDoesNotAnswerIsKilledAndComesBack(_ silent: Case) throws {
        var run = try CoreRun()
        try silent.begin(&run)
        silent.pass(&run, silent.patience - .seconds(1))
        #expect(run.take().killed == [])
        run.pass(.seconds(2))
        #expect(run.take().killed == [.user])
        #expect(run.core.worker(.user).why == silent.why)
        run.silent = []
        run.feed(.worker(.user, .exited(status: 9, words: "")))
        run.turn()
        try run.makeReady(.user)
        run.pass(.seconds(100))
        #expect(run.take().killed == [])
    }

    /// Nobody could answer while the machine slept.
    @Test(arguments: Case.allCases)
    func suspendKillsNobody(_ silent: Case) throws {
        var run = try CoreRun()
        try silent.begin(&run)
        silent.pass(&run, silent.patience - .seconds(1))
        run.suspend(.seconds(7200))
        // As long as it has at the least.
        run.pass(.seconds(9))
        #expect(run.take().killed == [])
        run.pass(silent.patience)
        #expect(run.take().killed == [.user])
    }

    /// It reads again in time: it is asked once more, and lives on.
    @Test(arguments: [Case.launchedAndFull, .readyAndFull, .readyWithOrder])
    func whatReadsAgainIsAskedAgain(_ full: Case) throws {
        var run = try CoreRun()
        try full.begin(&run)
        full.pass(&run, full.patience - .seconds(1))
        run.silent = []
        run.feed(.writable(.user))
        run.turn()
        #expect(
            run.take().contains { if case .send(.user, .ping) = $0 { true } else { false } })
        run.pass(.seconds(9))
        #expect(run.take().killed == [])
    }

    /// A canary that began and did not end is none that fell silent: the class takes no orders, and
    /// nobody is killed.
    @Test func canaryThatBeganIsNoSilence() throws {
        var run = try CoreRun()
        try Case.probing.begin(&run)
        let canary = try #require(run.core.worker(.user).canary?.order)
        run.report(
            .user,
            .started(
                attempt: canary.attempt, sequence: 0, layers: LayerReport(held: [], missing: []),
                at: run.wall))
        run.pass(.seconds(300))
        #expect(run.take().killed == [])
        #expect(run.core.worker(.user).state == .canaryFailed)
    }

    /// What runs in a worker that is to be killed ends with it: a cancel has nowhere to go, and waits
    /// for no successor.
    @Test func cancelOfWhatIsKilledWaitsForNobody() throws {
        var run = try CoreRun()
        try run.create("user.one", "@yearly")
        run.request(.run(try TaskID("user.one")))
        let order = try #require(run.take().orders.first)
        try run.start(order)
        run.feed(.malformedReport(.user, "sent what is no report"))
        run.request(.cancelTask(try TaskID("user.one"), now: false))
        #expect(run.core.worker(.user).outbox.isEmpty)
        run.feed(.worker(.user, .exited(status: 9, words: "")))
        run.turn()
        try run.makeReady(.user)
        _ = run.take()
        run.request(.run(try TaskID("user.one")))
        #expect(run.take().orders.count == 1)
    }
}
