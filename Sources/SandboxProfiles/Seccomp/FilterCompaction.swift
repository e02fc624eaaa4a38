// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import LinuxSandbox
import StrictYAML

/// Makes a seccomp program smaller without a change to what it decides.
///
/// The kernel checks, converts and compiles a task's filter anew in every attempt, and walks it for
/// every number to find the calls that it may allow without a run of the filter. Both take a time
/// that grows with the program; libseccomp's with the prologue is about three times as long.
struct FilterCompaction {
    /// The machine's own, as AUDIT_ARCH_* has it.
    let architecture: UInt32
    /// What a refusal names.
    let subject: String

    /// Makes an equivalent program.
    ///
    /// - Throws: where the program does what is not understood here: see `FilterWalk`.
    func compact(_ program: [FilterInstruction]) throws(ProfileError) -> [FilterInstruction] {
        var walk = FilterWalk(architecture: architecture, subject: subject)
        let runs = try walk.runs(of: program, from: .native)
        let foreignRuns = try walk.runs(of: program, from: .foreign)
        let native = NumberSearch(runs).add(to: &walk.graph)
        let foreign = NumberSearch(foreignRuns).add(to: &walk.graph)
        let root = walk.graph.test(
            DecisionGraph.Test(offset: FilterWord.architecture, constant: architecture),
            yes: native, no: foreign)
        let smaller = FilterAssembly.program(of: walk.graph, from: root)
        try verify(smaller, decidesAs: program)
        return smaller
    }

    /// Walks through both programs: a fault of this type must not become a hole in a sandbox.
    ///
    /// - Throws: where the decisions differ about any call that there can be, and where the same
    ///   is decided by tests in another order.
    func verify(
        _ smaller: [FilterInstruction], decidesAs program: [FilterInstruction]
    ) throws(ProfileError) {
        try FilterComparison(with: program, architecture: architecture, subject: subject)
            .verify(smaller)
    }
}
