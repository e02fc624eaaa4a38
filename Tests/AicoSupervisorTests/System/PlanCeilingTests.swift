// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
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

    static func mount(
        _ kind: PlanMount.Kind, _ source: String, at target: String? = nil
    ) -> @Sendable (inout Plan) -> Void {
        { $0.mounts = [PlanMount(kind: kind, source: source, target: target ?? source)] }
    }

    static func shows(
        _ kind: PlanMount.Kind, _ source: String, at target: String? = nil,
        in taskClass: TaskClass = .user
    ) -> Row {
        Row(
            taskClass: taskClass, change: mount(kind, source, at: target),
            excess: "it shows '\(source)' at '\(target ?? source)'")
    }

    static func permits(
        _ kind: PlanMount.Kind, _ source: String, in taskClass: TaskClass = .user
    ) -> Row {
        Row(taskClass: taskClass, change: mount(kind, source), excess: nil)
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
        shows(.device, "/dev/vda"), shows(.device, "/dev/null", at: "/dev/zero"),
        permits(.device, "/dev/null"),
        shows(.bindWritable, "/usr/lib"), shows(.bindWritable, "/etc"), shows(.bindWritable, "/"),
        shows(.bindWritable, "/i/var/lib/aico/keys"), shows(.bindWritable, "/i/var/lib"),
        shows(.bindWritable, "/i/run/aico/class/user"), shows(.bindWritable, "/proc/sys"),
        shows(.bindWritable, "/srv/photos", in: .agency),
        shows(.bindWritable, "/i/var/lib/aico/work", in: .agency),
        permits(.bindWritable, "/i/var/lib/aico/work"), permits(.bindWritable, "/srv/photos"),
        permits(.bindWritable, "/i/var/lib/aico/memory", in: .agency),
        shows(.bindReadOnly, "/i/var/lib/aico/store"), shows(.bindReadOnly, "/"),
        shows(.bindReadOnly, "/i/var/lib/aico/keys", in: .maintenance),
        shows(.bindReadOnly, "/srv", in: .maintenance), shows(.bindReadOnly, "/sys"),
        permits(.bindReadOnly, "/i/var/lib/aico/keys", in: .security),
        permits(.bindReadOnly, "/i/run/aico/bin", in: .agency), permits(.bindReadOnly, "/srv"),
        permits(.bindReadOnly, "/usr/lib", in: .security),
    ]

    @Test(arguments: rows) func nothingBeyondIsAccepted(_ row: Row) {
        var plan = CheckedPlanTests.plan(of: row.taskClass)
        row.change(&plan)
        let ceiling = PlanCeiling(root: "/i", taskClass: row.taskClass)
        #expect(ceiling.excess(of: plan) == row.excess)
    }
}
