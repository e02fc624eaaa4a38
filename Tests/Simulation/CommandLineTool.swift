// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc
import SchedulerCore

/// `aico-simulate`: plays hours, mutants, or one episode again.
package enum CommandLineTool {
    private static let usage = """
        usage: aico-simulate [--seed N] [--hours H] [--mutant NAME] [--all-mutants] [--no-shrink]
                             [--threads N] [--real-store] [--from E]
                             [--episode E [--inputs 1,2,3] [--trace] [--lines N]]
        """

    /// Runs with these arguments; gives the exit status.
    package static func run(_ arguments: [String]) -> Int32 {
        var options = Options()
        if let problem = options.read(arguments) {
            print("aico-simulate: \(problem)\n\(usage)")
            return 2
        }
        if options.mutant != nil, !MutantTable.isCompiledIn {
            print("aico-simulate: built without mutants; type: make mutants")
            return 2
        }
        if options.isAll {
            return MutantTable.run(seed: options.seed, hours: options.hours ?? 2000)
        }
        let simulation = Simulation(
            seed: options.seed, hours: options.hours ?? 1000, mutant: options.mutant,
            isStoreReal: options.isStoreReal)
        if let episode = options.episode { return replay(simulation, episode, options) }
        guard options.first < simulation.lengths.count else {
            return refuseEpisode(of: simulation)
        }
        print("seed \(options.seed)")
        // Far from the end, so that a long run that is ended has its figure all the same.
        let summary = simulation.run(from: options.first, threads: options.threads) { sum in
            guard sum.hours < simulation.hours else { return }
            let line = Array("so far: \(sum.line)\n".utf8)
            _ = write(STDERR_FILENO, line, line.count)
        }
        if let failure = summary.failure { tell(failure, of: simulation, options) }
        print(summary.line)
        return summary.failure == nil ? 0 : 1
    }

    /// Shrinks what failed, and says how to see it again.
    private static func tell(
        _ failure: (episode: Int, at: Int, violation: Violation), of simulation: Simulation,
        _ options: Options
    ) {
        let (episode, _, violation) = failure
        print("VIOLATION of \(violation.check.rawValue) in episode \(episode): \(violation.words)")
        guard options.isShrinking else { return }
        let scenario = simulation.scenario(episode)
        var whole = simulation.world(episode)
        whole.run()
        // What comes later cannot be what it needs.
        let before = scenario.inputs.filter { $0.at <= whole.now }
        var shrinker = Shrinker { inputs in
            var world = simulation.world(episode, inputs: inputs)
            world.stopAt = whole.now + .minutes(10)
            world.run()
            return world.judge.violation
        }
        let inputs = shrinker.shrink(before, violation.check)
        print("shrunk from \(before.count) to \(inputs.count) inputs:")
        for input in inputs { print("  \(input)") }
        var command = "aico-simulate --seed \(simulation.seed) --hours \(simulation.hours)"
        if let mutant = options.mutant { command += " --mutant \(mutant.rawValue)" }
        if options.isStoreReal { command += " --real-store" }
        command += " --episode \(episode)"
        let numbers = inputs.map { String($0.index) }.joined(separator: ",")
        var world = simulation.world(episode, inputs: inputs)
        world.trace = Trace()
        world.stopAt = whole.now + .minutes(10)
        world.run()
        print("its last lines:")
        for line in (world.trace?.lines ?? []).suffix(30) { print("  \(line.prefix(400))") }
        if let violation = world.judge.violation {
            print("  \(world.now) VIOLATION of \(violation.check.rawValue): \(violation.words)")
        }
        print("replay: \(command) --trace --inputs \(numbers.isEmpty ? "none" : numbers)")
    }

    private static func refuseEpisode(of simulation: Simulation) -> Int32 {
        print("aico-simulate: there are episodes 0 to \(simulation.lengths.count - 1)")
        return 2
    }

    private static func replay(
        _ simulation: Simulation, _ episode: Int, _ options: Options
    ) -> Int32 {
        guard simulation.lengths.indices.contains(episode) else {
            return refuseEpisode(of: simulation)
        }
        let scenario = simulation.scenario(episode)
        let inputs = options.inputs.map { wanted in
            scenario.inputs.filter { wanted.contains($0.index) }
        }
        var world = simulation.world(episode, inputs: inputs)
        if options.isTracing { world.trace = Trace() }
        world.run()
        for line in (world.trace?.lines ?? []).suffix(options.lines) { print(line) }
        if let violation = world.judge.violation {
            print("VIOLATION of \(violation.check.rawValue) at \(world.now): \(violation.words)")
        }
        print("episode \(episode): \(world.events) events, trace \(world.hash)")
        return world.judge.violation == nil ? 0 : 1
    }
}

extension CommandLineTool {
    /// What was typed.
    struct Options {
        var seed = UInt64.random(in: 1...999_999_999)
        var hours: Int?
        var mutant: Mutant?
        var isAll = false
        var isStoreReal = false
        var isTracing = false
        var isShrinking = true
        var episode: Int?
        /// The episode to begin with, as where an earlier run came to an end.
        var first = 0
        var inputs: Set<Int>?
        var lines = 200
        var threads = 2

        /// Reads the arguments; gives what is wrong with them.
        mutating func read(_ arguments: [String]) -> String? {
            var rest = arguments[...]
            while let option = rest.popFirst() {
                switch option {
                case "--trace": isTracing = true
                case "--real-store": isStoreReal = true
                case "--no-shrink": isShrinking = false
                case "--all-mutants": isAll = true
                case "--seed", "--hours", "--episode", "--from", "--lines", "--threads":
                    guard let number = rest.popFirst().flatMap({ UInt64($0) }),
                        option == "--seed" || number < 100_000_000
                    else { return "\(option) takes a number" }
                    switch option {
                    case "--seed": seed = number
                    case "--hours": hours = Int(number)
                    case "--episode": episode = Int(number)
                    case "--from": first = Int(number)
                    case "--threads":
                        guard (1...64).contains(number) else { return "--threads takes 1 to 64" }
                        threads = Int(number)
                    default: lines = Int(number)
                    }
                case "--inputs":
                    guard let text = rest.popFirst() else { return "--inputs takes numbers" }
                    inputs = Set(text.split(separator: ",").compactMap { Int($0) })
                case "--mutant":
                    guard let mutant = rest.popFirst().flatMap(Mutant.init) else {
                        return "there are these mutants: "
                            + Mutant.allCases.map(\.rawValue).joined(separator: ", ")
                    }
                    self.mutant = mutant
                default: return "there is no option \(option)"
                }
            }
            return nil
        }
    }
}
