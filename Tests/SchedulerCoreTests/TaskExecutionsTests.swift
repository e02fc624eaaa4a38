// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Testing

@testable import SchedulerCore

/// Numbers that are the same in every run.
private struct Dice {
    var state: UInt64

    mutating func roll(_ sides: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int((state >> 33) % UInt64(sides))
    }
}

/// What is known of a task's executions is what a look at all of them gives.
struct TaskExecutionsTests {
    private static let overlaps: [OverlapPolicy] = [
        .allow, .skip, .queueOne, .queueAll, .cancelOld,
    ]

    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func itIsTheSameAsALookAtAll(seed: UInt64) throws {
        var dice = Dice(state: seed)
        var settings = CoreSettings()
        settings.maximumConcurrency = 3
        var run = try CoreRun(settings)
        let names = try (0..<5).map { try TaskID("user.t\($0)") }
        var orders: [AttemptOrder] = []
        var most = 0
        for step in 0..<600 {
            let number = dice.roll(names.count)
            let name = names[number]
            switch dice.roll(12) {
            case 0: run.request(.delete(name))
            case 1: run.request(.setEnabled(name, dice.roll(2) == 0))
            case 2: run.request(.cancelTask(name, now: false))
            case 3, 4: run.request(.run(name))
            case 5:
                let ids = run.core.executions.keys.sorted()
                if !ids.isEmpty {
                    run.request(.cancelExecution(ids[dice.roll(ids.count)], now: false))
                }
            case 6: run.isStoreWell = dice.roll(3) > 0
            case 7: if !run.isStoreWell { run.failStore(.full) }
            case 8, 9:
                if !orders.isEmpty {
                    let order = orders.remove(at: dice.roll(orders.count))
                    if run.core.executions[order.executionID]?.attempt?.key == order.attempt {
                        if dice.roll(2) == 0 {
                            try run.start(order)
                            try run.finish(order)
                        } else {
                            try run.fail(order)
                        }
                    }
                }
            case 10: run.pass(.seconds(dice.roll(90)))
            default:
                let policies = TaskPolicies(
                    retry: RetryPolicy(count: 1), overlap: Self.overlaps[number])
                try run.create(name.text, "* * * * *", policies)
            }
            if run.isStoreWell { run.answerStore() }
            orders += run.take().orders
            most = max(most, run.core.executions.count)
            compare(run.core, step)
        }
        #expect(most > 5)
    }

    private func compare(_ core: SchedulerCore, _ step: Int) {
        let all = Dictionary(grouping: core.executions.values, by: \.task)
        #expect(core.byTask.count == all.count, "step \(step)")
        for (key, executions) in all {
            let known = core.byTask[key]
            #expect(known?.ids.sorted() == executions.map(\.id).sorted(), "step \(step)")
            let requested = executions.filter { $0.trigger.isRequested }
            #expect(known?.requested == Set(requested.map(\.id)), "step \(step)")
            let waiting = executions.filter(\.isInLine)
            let people = waiting.filter { $0.trigger.isRequested }.map(\.id)
            let clock = waiting.filter { !$0.trigger.isRequested }.map(\.id)
            #expect(known.map { Array($0.line.people).sorted() } == people.sorted())
            #expect(known.map { Array($0.line.clock).sorted() } == clock.sorted())
        }
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func aRowIsAnArray(seed: UInt64) {
        var dice = Dice(state: seed)
        var row = Row()
        var plain: [String] = []
        for step in 0..<4000 {
            // Few for a while, then many, then few.
            let isGrowing = step % 1000 < 500
            switch dice.roll(isGrowing ? 4 : 8) {
            case 0, 1:
                row.append("n\(step)")
                plain.append("n\(step)")
            case 2:
                row.prepend("n\(step)")
                plain.insert("n\(step)", at: 0)
            case 3:
                row.remove("nobody")
                if let first = plain.first {
                    row.remove(first)
                    plain.removeFirst()
                }
            default:
                guard !plain.isEmpty else { continue }
                row.remove(plain.remove(at: dice.roll(plain.count)))
            }
            #expect(row.count == plain.count)
            #expect(row.first == plain.first)
            #expect(row.isEmpty == plain.isEmpty)
            if step % 16 == 0 { #expect(Array(row) == plain) }
        }
        #expect(Array(row) == plain)
    }
}

/// What a request costs does not grow with what waits of other tasks, nor a step of a line with
/// its length.
struct RequestCostTests {
    private let crowd: TaskID
    private let beside: TaskID
    private let own: TaskID

    init() throws {
        crowd = try TaskID("user.crowd")
        beside = try TaskID("user.beside")
        own = try TaskID("user.own")
    }

    /// A core in which so many executions wait in one task's line.
    private func waiting(_ count: Int) throws -> CoreRun {
        var settings = CoreSettings()
        settings.maximumConcurrency = 0
        var run = try CoreRun(settings)
        try run.create(crowd.text, "@yearly", TaskPolicies(overlap: .queueAll))
        try run.create(beside.text, "@yearly", TaskPolicies(overlap: .allow))
        try run.create(own.text, "@yearly")
        for number in 0..<count { try enqueue(number, in: &run) }
        run.turn()
        run.request(.run(beside))
        _ = run.take()
        return run
    }

    private func enqueue(_ number: Int, in run: inout CoreRun) throws {
        let key = try #require(run.core.tasks[crowd]?.key)
        run.core.enqueue(
            Execution(
                id: "e\(number)", task: key, worker: .user, trigger: .schedule,
                plannedAt: run.wall + .seconds(number), policies: TaskPolicies(overlap: .queueAll)),
            cause: .oneOfAll)
    }

    /// Median times of a request each, and of a step of the line.
    private func times(among count: Int) throws -> [String: Duration] {
        var run = try waiting(count)
        var times: [String: [Duration]] = [:]
        for round in 0..<15 {
            func measure(_ what: String, _ body: () throws -> Void) rethrows {
                times[what, default: []].append(try ContinuousClock().measure(body))
            }
            try measure("enqueue") { try enqueue(count + round, in: &run) }
            run.turn()
            measure("cancel one in line") {
                run.request(.cancelExecution("e\(count / 2 + round)", now: false))
            }
            measure("cancel") { run.request(.cancelTask(own, now: false)) }
            measure("run") { run.request(.run(beside)) }
            measure("disable") { run.request(.setEnabled(own, false)) }
            measure("enable") { run.request(.setEnabled(own, true)) }
            let replies = run.take().replies
            #expect(replies.count == 5)
            #expect(replies.first == .cancelled(["e\(count / 2 + round)"], ending: []))
        }
        #expect(run.core.queued == count + 1)
        return times.mapValues { $0.sorted()[$0.count / 2] }
    }

    @Test func thirtyTimesAsManyThatWaitDoNotMakeARequestEightTimesAsDear() throws {
        let few = try times(among: 1000)
        let many = try times(among: 30_000)
        for (what, time) in many.sorted(by: { $0.key < $1.key }) {
            let before = few[what] ?? .zero
            print("\(what): \(before) among 1,000, \(time) among 30,000")
            #expect(time < before * 8, "\(what)")
        }
    }
}
