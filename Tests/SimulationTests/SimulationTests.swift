// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Foundation
import SchedulerCore
import Testing

@testable import Simulation

/// The core among models of all that is around it, on a virtual clock.
@Suite(.serialized)
struct SimulationTests {
    /// Ten thousand hours where the release executable is there, some where it is not. The seed is
    /// fixed, so that a failure is the change's; `make soak` draws others.
    @Test func nothingIsViolated() throws {
        guard let directory = ProcessInfo.processInfo.environment["AICO_BIN_DIR"],
            FileManager.default.isExecutableFile(atPath: directory + "/aico-simulate")
        else {
            let summary = Simulation(seed: 1, hours: 100).run()
            #expect(summary.failure == nil, "\(summary.line)")
            #expect(summary.hours == 100)
            return
        }
        let (status, output) = try run(
            directory + "/aico-simulate", ["--seed", "1", "--hours", "10000"])
        #expect(status == 0, "\(output)")
        let last = output.split(separator: "\n").last.map(String.init) ?? ""
        #expect(last.hasPrefix("simulated 10000 h, "))
        #expect(last.contains(" 0 violations, trace "))
    }

    @Test func oneSeedGivesOneTrace() {
        let once = Simulation(seed: 42, hours: 20).run(threads: 1)
        let again = Simulation(seed: 42, hours: 20).run(threads: 2)
        let other = Simulation(seed: 43, hours: 20).run()
        #expect(once.line == again.line)
        #expect(once.hash != other.hash)
        #expect(once.events > 5_000 && once.faults > 100)
    }

    @Test func episodesAreAsLongAsAskedFor() {
        let simulation = Simulation(seed: 5, hours: 1000)
        #expect(simulation.lengths.reduce(0, +) == 1000)
        #expect(simulation.lengths.dropLast().allSatisfy { (50...200).contains($0) })
        for episode in 0..<3 {
            let scenario = simulation.scenario(episode)
            #expect(scenario.inputs.map(\.at) == scenario.inputs.map(\.at).sorted())
            #expect(!scenario.quiets.isEmpty)
            #expect(
                scenario.inputs.allSatisfy { input in
                    !scenario.quiets.contains { $0.begin <= input.at && input.at < $0.end }
                })
        }
    }

    /// Hundreds of requests in one instant, from several clients: each is heard and answered.
    @Test func aStormIsHeardAndAnswered() throws {
        func isOfStorm(_ input: TimedInput) -> Bool {
            if case .calls(_, let client) = input.input { client > 0 } else { false }
        }
        let simulation = Simulation(seed: 9, hours: 3000)
        let scenarios = simulation.lengths.indices.lazy.map { simulation.scenario($0) }
        var scenario = try #require(scenarios.first { $0.inputs.contains(where: isOfStorm) })
        let at = try #require(scenario.inputs.first(where: isOfStorm)?.at)
        var storm = scenario.inputs.filter { isOfStorm($0) && $0.at == at }
        // What comes before it has no part in this.
        for index in storm.indices { storm[index].at = .minutes(2) }
        let calls = storm.reduce(0) { count, input in
            if case .calls(let calls, _) = input.input { count + calls.count } else { count }
        }
        #expect((100...401).contains(calls) && storm.count > 1)
        scenario.quiets = []
        var world = World(
            scenario, inputs: scenario.inputs.filter { $0.at <= .seconds(10) } + storm, mutant: nil)
        world.stopAt = .minutes(7)
        world.run()
        #expect(world.judge.violation == nil)
        #expect(world.judge.asked.isEmpty)
        // Some are about dead letters, of which there may be none.
        #expect(world.judge.lastRequest > calls / 2, "\(world.judge.lastRequest) of \(calls)")
    }

    /// A rule that is wrong on purpose: a step back and a death of a worker may not both be.
    @Test func theShrinkerLeavesWhatIsNeeded() throws {
        let scenario = Simulation(seed: 9, hours: 60).scenario(0)
        let inputs = scenario.inputs
        try #require(inputs.count > 30)
        func isBad(_ some: [TimedInput]) -> Bool {
            let hasStep = some.contains { if case .step = $0.input { true } else { false } }
            let hasDeath = some.contains { if case .workerDies = $0.input { true } else { false } }
            return hasStep && hasDeath
        }
        try #require(isBad(inputs))
        var shrinker = Shrinker { isBad($0) ? Violation(check: .testOnly, words: "") : nil }
        let left = shrinker.shrink(inputs, .testOnly)
        #expect(left.count == 2)
        #expect(isBad(left))
    }

    /// The same with the whole of an episode: what is left leads there again.
    @Test func aShrunkEpisodeFailsAgain() throws {
        let simulation = Simulation(seed: 9, hours: 3000)
        let scenarios = simulation.lengths.indices.lazy.map { simulation.scenario($0) }
        let found = scenarios.first { scenario in
            let early = scenario.inputs.filter { $0.at < .hours(5) }
            return early.count { if case .crash = $0.input { true } else { false } } > 2
        }
        let scenario = try #require(found)
        func play(_ inputs: [TimedInput]) -> Violation? {
            var world = World(scenario, inputs: inputs, mutant: nil)
            world.stopAt = .hours(5)
            world.judge.mostCrashes = 1
            world.run()
            return world.judge.violation
        }
        let before = scenario.inputs.filter { $0.at < .hours(5) }
        try #require(play(before)?.check == .testOnly)
        var shrinker = Shrinker(budget: 50, play: play)
        let left = shrinker.shrink(before, .testOnly)
        #expect(left.count <= 30, "\(left)")
        #expect(play(left)?.check == .testOnly)
    }

    /// What was claimed ahead runs again as its scheduler died and the clock was set back, and the
    /// next scheduler has a shorter lead.
    @Test func theLeadIsThatOfWhoeverClaimed() throws {
        let simulation = Simulation(seed: 9, hours: 10_000)
        let found = simulation.lengths.indices.lazy.map { simulation.scenario($0) }.first {
            $0.settings(0).claimAhead == .seconds(2) && $0.settings(0).isEnabled
                && $0.settings(1).claimAhead < .seconds(2) && !$0.isLoadUnknowable
        }
        var scenario = try #require(found)
        let name = try #require(Scenario.names.first)
        let spec = TaskSpec(
            number: scenario.specs.count, name: name, type: scenario.type(of: name),
            schedule: try Schedule.parse("* * * * *"), zone: .utc,
            policies: TaskPolicies(onCrash: .rerun))
        scenario.specs.append(spec)
        let due = Instant(seconds: (scenario.startedAt.seconds / 60 + 3) * 60)
        let claimed = Span((due - scenario.startedAt).wholeMicroseconds) - .seconds(2)
        let crash = Input.crash(
            after: 0, down: .minutes(1), isBatchKept: true, settings: 1, isReboot: false)
        scenario.inputs = []
        scenario.add(.calls([.create(spec.number)]), at: .seconds(60))
        scenario.add(crash, at: claimed - Span(200))
        scenario.add(.step(.zero - .hours(1)), at: claimed + .seconds(30))
        var world = World(scenario, mutant: nil)
        world.trace = Trace()
        world.stopAt = claimed + .minutes(4)
        world.run()
        #expect(world.trace?.lines.contains { $0.hasSuffix("attempt 2") } == true)
        #expect(world.judge.violation == nil)
    }

    /// A pipe is full for longer than an order may lie unread, and has room again at the judge's next
    /// look at what is unread: whichever turns it looks in, and however many come between.
    @Test func theJudgeKnowsThatAPipeWasFullBetweenItsLooks() throws {
        let simulation = Simulation(seed: 9, hours: 10_000)
        let found = simulation.lengths.indices.lazy.map { simulation.scenario($0) }.first {
            let settings = $0.settings(0)
            return settings.claimAhead == .seconds(2) && settings.isEnabled
                && settings.heartbeatInterval >= .seconds(600) && !$0.isLoadUnknowable
        }
        var scenario = try #require(found)
        let name = try #require(Scenario.names.first)
        let spec = TaskSpec(
            number: scenario.specs.count, name: name, type: scenario.type(of: name),
            schedule: try Schedule.parse("* * * * *"), zone: .utc, policies: TaskPolicies())
        scenario.specs.append(spec)
        scenario.builtIns = []
        scenario.quiets = []
        scenario.inputs = []
        let due = Instant(seconds: (scenario.startedAt.seconds / 60 + 3) * 60)
        let begin = Span((due - scenario.startedAt).wholeMicroseconds) - .seconds(50)
        let full = begin + .seconds(49)
        scenario.add(.calls([.create(spec.number)]), at: begin)
        // Claimed by then; its order is yet to leave.
        scenario.add(.pipeFull(.shipped(name.taskClass), for: .seconds(92)), at: full)
        for turns in 0..<8 {
            for start in 0..<8 {
                var world = World(scenario, mutant: nil)
                world.judge.turns = start
                world.trace = Trace()
                world.stopAt = full + .minutes(2)
                world.run()
                #expect(world.trace?.lines.contains { $0.contains("  unsent(") } == true)
                #expect(world.judge.violation == nil, "\(turns) turns more, from \(start)")
            }
            scenario.add(.step(.zero), at: full + .seconds(Int64(3 + turns)))
        }
    }

    /// The walk is another way to the same instants.
    @Test(arguments: ["30 2 * * *", "15 0,1,2,3 * * *", "*/20 1-4 * * *", "30 23 * * 0", "@hourly"])
    func theWalkFindsWhatTheTimetableFinds(text: String) throws {
        let schedule = try Schedule.parse(text)
        let walk = try #require(MinuteWalk(text))
        let zones = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]
        for zone in Simulation(seed: 1, hours: 1).zones where zones.contains(zone.name) {
            for gap in DSTPolicy.Gap.allCases {
                for overlap in DSTPolicy.Overlap.allCases {
                    let dst = DSTPolicy(gap: gap, overlap: overlap)
                    for month in 0..<12 {
                        let begin = Instant(seconds: 1_735_689_600 + Int64(month) * 30 * 86_400)
                        let end = begin + .seconds(31 * 86_400)
                        let found = schedule.times(after: begin, in: zone, created: begin, dst: dst)
                            .prefix { $0 <= end }
                        #expect(
                            walk.instants(after: begin, to: end, in: zone, dst) == Array(found),
                            "\(text) in \(zone.name) with \(dst)")
                    }
                }
            }
        }
    }

    @Test func wrongArgumentsAreRefused() {
        for arguments in [
            ["--seed"], ["--hours", "x"], ["--mutant", "none"], ["--nonsense"],
            ["--mutant", "double_reply"], ["--all-mutants"],
            ["--seed", "1", "--hours", "100", "--episode", "99"],
            ["--seed", "1", "--hours", "100", "--from", "99"], ["--from", "last"],
        ] {
            #expect(CommandLineTool.run(arguments) == 2, "\(arguments)")
        }
    }

    private func run(_ path: String, _ arguments: [String]) throws -> (Int32, String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }
}
