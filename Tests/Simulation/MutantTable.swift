// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import SchedulerCore

/// Plants every fault in turn: a simulation that does not see one proves nothing.
enum MutantTable {
    static let isCompiledIn: Bool = {
        #if AICO_MUTANTS
            true
        #else
            false
        #endif
    }()

    /// Prints the table; gives the exit status.
    static func run(seed: UInt64, hours: Int) -> Int32 {
        guard isCompiledIn else {
            print("aico-simulate: built without mutants; type: make mutants")
            return 2
        }
        var caught = 0
        for mutant in Mutant.allCases {
            let simulation = Simulation(seed: seed, hours: hours, mutant: mutant)
            let summary = simulation.run()
            let name = mutant.rawValue.padded(to: 28)
            if let (_, _, violation) = summary.failure {
                caught += 1
                print("\(name) \(violation.check.rawValue.padded(to: 20)) after \(summary.hours) h")
            } else {
                print("\(name) MISSED               in \(summary.hours) h")
            }
        }
        print("mutants \(Mutant.allCases.count) caught \(caught)")
        return caught == Mutant.allCases.count ? 0 : 1
    }
}

extension String {
    func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }
}
