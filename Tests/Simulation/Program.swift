// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Foundation
import SchedulerCore

/// The executable `aico-simulate`.
public enum SimulationProgram {
    private static let usage =
        "usage: aico-simulate [--seed N] [--hours H] [--mutant NAME] [--mutants]"

    /// Runs by the arguments and ends the process.
    public static func run(_ arguments: [String]) -> Never {
        var seed: UInt64?
        var hours = 1000
        var mutant: String?
        var isAll = false
        var rest = arguments.dropFirst()
        while let word = rest.popFirst() {
            switch word {
            case "--seed": seed = rest.popFirst().flatMap { UInt64($0) }
            case "--hours": hours = rest.popFirst().flatMap { Int($0) } ?? 0
            case "--mutant": mutant = rest.popFirst()
            case "--mutants": isAll = true
            default: fail("unknown word \"\(word)\"; \(usage)")
            }
        }
        guard hours >= 4 else { fail("--hours needs a number of at least 4; \(usage)") }
        if let mutant, Mutant(rawValue: mutant) == nil {
            fail("unknown mutant \"\(mutant)\"")
        }
        #if !AICO_MUTANTS
            if mutant != nil || isAll {
                fail("this build plants no faults; type: make mutants")
            }
        #endif
        let drawn = seed ?? UInt64.random(in: 0..<(1 << 32))
        print("seed \(drawn)")
        if isAll { catchAll(drawn, hours: hours) }
        let simulator = Simulator(seed: drawn, mutant: mutant)
        let report = simulator.run(hours: hours)
        if let (violation, seed, length) = report.violation {
            for line in simulator.shrink(seed, hours: length, violation) { print(line) }
            print("violation: \(violation.check): \(violation.what)")
            let planted = mutant.map { " --mutant \($0)" } ?? ""
            print("replay: aico-simulate --seed \(seed) --hours \(length)\(planted)")
            exit(1)
        }
        print(
            "simulated \(report.hours) h, \(report.events) events, \(report.faults) faults, "
                + "0 violations, trace \(String(report.hash.value, radix: 16))")
        exit(0)
    }

    private static func catchAll(_ seed: UInt64, hours: Int) -> Never {
        var caught = 0
        for mutant in Mutant.allCases {
            let simulator = Simulator(seed: seed, mutant: mutant.rawValue)
            let report = simulator.run(hours: hours)
            let name = mutant.rawValue.padding(toLength: 26, withPad: " ", startingAt: 0)
            if let (violation, _, _) = report.violation {
                caught += 1
                print("\(name) \(report.hours) h  \(violation.check): \(violation.what)")
            } else {
                print("\(name) MISSED in \(report.hours) h")
            }
        }
        print("mutants \(Mutant.allCases.count) caught \(caught)")
        exit(caught == Mutant.allCases.count ? 0 : 1)
    }

    private static func fail(_ message: String) -> Never {
        FileHandle.standardError.write(Data("aico-simulate: \(message)\n".utf8))
        exit(2)
    }
}
