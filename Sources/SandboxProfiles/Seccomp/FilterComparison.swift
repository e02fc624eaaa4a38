// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import LinuxSandbox
import StrictYAML

/// What a program decides about every call, to hold others against it.
struct FilterComparison {
    private static let origins = [FilterWalk.Origin.native, .foreign]

    private let walk: FilterWalk
    private let runs: [[FilterWalk.Run]]
    private let subject: String

    /// Walks through the program.
    ///
    /// - Throws: where it does what is not understood: see `FilterWalk`.
    init(
        with program: [FilterInstruction], architecture: UInt32, subject: String
    ) throws(ProfileError) {
        var walk = FilterWalk(architecture: architecture, subject: subject)
        var runs: [[FilterWalk.Run]] = []
        for origin in Self.origins { runs.append(try walk.runs(of: program, from: origin)) }
        self.walk = walk
        self.runs = runs
        self.subject = subject
    }

    /// Walks through another program.
    ///
    /// - Throws: where the decisions differ about any call that there can be, and where the same
    ///   is decided by tests in another order.
    func verify(_ other: [FilterInstruction]) throws(ProfileError) {
        // Equal decisions are one node of the graph that both walks share.
        var walk = walk
        for (origin, expected) in zip(Self.origins, runs) {
            guard try walk.runs(of: other, from: origin) == expected else {
                throw ProfileError(
                    file: subject, line: 0,
                    reason: "cannot make the filter smaller: the result decides otherwise")
            }
        }
    }
}
