// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import CLinux
import LinuxSandbox
import Testing

@testable import AicoSupervisor

/// A compiler that was taken over gets no more into force than a class's ceiling.
@Suite struct PlanCeilingTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var taskClass = TaskClass.user
        var change: @Sendable (inout Plan) -> Void
        var excess: String?
        var testDescription: String { excess ?? "permitted" }
    }

    static let rows: [Row] = [
        Row(change: { $0.hasUserNamespace = false }, excess: "it has no user namespace"),
        Row(
            taskClass: .security, change: { $0.hasUserNamespace = true },
            excess: "it has a user namespace"),
        Row(change: { $0.supplementaryGroups = [6] }, excess: "it has supplementary groups"),
        Row(
            change: { $0.optionalLayers = [.identity] }, excess: "it can do without layer identity"),
        Row(
            change: { $0.optionalLayers = [.landlock, .seccomp] },
            excess: "it can do without layer seccomp"),
        Row(change: { $0.optionalLayers = [.landlock] }, excess: nil),
    ]

    @Test(arguments: rows) func nothingBeyondIsAccepted(_ row: Row) {
        var plan = CheckedPlanTests.plan(of: row.taskClass)
        row.change(&plan)
        let ceiling = PlanCeiling(
            root: "/i", executables: "/b", profiles: "/p", taskClass: row.taskClass)
        #expect(ceiling.excess(of: plan) == row.excess)
    }
}
