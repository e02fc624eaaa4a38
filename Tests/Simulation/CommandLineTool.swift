// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import SchedulerCore

/// `aico-simulate`.
public enum CommandLineTool {
    /// Runs with these arguments; gives the exit status.
    public static func run(_ arguments: [String]) -> Int32 {
        var options = Options()
        if let problem = options.read(arguments) {
            print("aico-simulate: \(problem)")
            return 2
        }
        let simulation = Simulation(seed: options.seed, hours: options.hours, mutant: options.mutant)
        if let episode = options.episode { return replay(simulation, episode, options) }
        print("seed \(options.seed)")
        let summary = simulation.run()
        if let failure = summary.failure {
            Self.tell(failure, of: simulation, options)
        }
        print(summary.line)
        return summary.failure == nil ? 0 : 1
    }

    private static func tell(
        _ failure: (episode: Int, at: Int, Violation), of simulation: Simulation,
        _ options: Options
    ) {
        print("VIOLATION of \(failure.2.check.rawValue) in episode \(failure.episode): \(failure.2.words)")
    }

    private static func replay(_ simulation: Simulation, _ episode: Int, _ options: Options) -> Int32 {
        let scenario = simulation.scenario(episode)
        var world = World(scenario, mutant: options.mutant)
        if options.isTracing { world.trace = Trace() }
        world.run()
        for line in (world.trace?.lines ?? []).suffix(options.lines) { print(line) }
        if let violation = world.judge.violation {
            print("VIOLATION of \(violation.check.rawValue) at \(world.now): \(violation.words)")
            return 1
        }
        return 0
    }

    struct Options {
        var seed = UInt64.random(in: 1...999_999_999)
        var hours = 1000
        var mutant: Mutant?
        var isAll = false
        var isTracing = false
        var episode: Int?
        var lines = 200

        mutating func read(_ arguments: [String]) -> String? {
            var rest = arguments[...]
            while let option = rest.popFirst() {
                switch option {
                case "--trace": isTracing = true
                case "--all-mutants": isAll = true
                case "--seed", "--hours", "--episode", "--lines":
                    guard let text = rest.popFirst(), let number = UInt64(text) else {
                        return "\(option) takes a number"
                    }
                    switch option {
                    case "--seed": seed = number
                    case "--hours": hours = Int(number)
                    case "--episode": episode = Int(number)
                    default: lines = Int(number)
                    }
                case "--mutant":
                    guard let mutant = rest.popFirst().flatMap(Mutant.init) else {
                        return "no such mutant; there are "
                            + Mutant.allCases.map(\.rawValue).joined(separator: ", ")
                    }
                    self.mutant = mutant
                default: return "unknown option \(option)"
                }
            }
            return nil
        }
    }
}
