// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import CLinux
import LinuxSandbox
import Testing

@testable import AicoSupervisor

/// What the supervisor accepts of a compiler that may be taken over.
@Suite struct CheckedPlanTests {
    static let identity = Identities.Identity(user: 61004, group: 62004)

    /// The one capability that some class may have.
    static let dacReadSearch: UInt64 = 1 << 2

    static func plan(of taskClass: TaskClass, capabilities: UInt64 = 0) -> Plan {
        var plan = Plan()
        plan.classIndex = taskClass.rawValue
        plan.userID = identity.user
        plan.groupID = identity.group
        plan.hasUserNamespace = taskClass == .agency || taskClass == .user
        plan.hostCapabilities = capabilities
        // ENOSYS for everything.
        let deny = FilterInstruction(code: 6, jumpTrue: 0, jumpFalse: 0, constant: 0x0005_0026)
        plan.workerFilter = [deny]
        plan.taskFilter = [deny]
        plan.attemptLimits.memoryBytes = 64 << 20
        plan.attemptLimits.processes = 8
        plan.attemptLimits.cpuPercent = 100
        plan.attemptLimits.wallSeconds = 60
        plan.attemptLimits.openFiles = 64
        plan.attemptLimits.fileSizeBytes = 1 << 20
        plan.classLimits.memoryBytes = 256 << 20
        plan.classLimits.processes = 32
        plan.classLimits.cpuPercent = 100
        return plan
    }

    static func ceiling(_ taskClass: TaskClass) -> PlanCeiling {
        PlanCeiling(root: "", executables: "/b", profiles: "/p", taskClass: taskClass)
    }

    /// The words of a refusal; nil where the plan is accepted.
    static func refusal(_ plan: Plan, for taskClass: TaskClass) -> String? {
        refusal(PlanCodec.encode(plan), for: taskClass)
    }

    static func refusal(_ bytes: [UInt8], for taskClass: TaskClass) -> String? {
        do throws(SupervisorError) {
            _ = try CheckedPlan(
                bytes: bytes, taskClass: taskClass, identity: identity, ceiling: ceiling(taskClass))
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test(arguments: TaskClass.allCases) func theClassesOwnPlanIsKeptAsItCame(
        taskClass: TaskClass
    ) throws {
        let plan = Self.plan(of: taskClass)
        let bytes = PlanCodec.encode(plan)
        let checked = try CheckedPlan(
            bytes: bytes, taskClass: taskClass, identity: Self.identity,
            ceiling: Self.ceiling(taskClass))
        #expect(checked.plan == plan)
        #expect(checked.bytes == bytes)
    }

    @Test(arguments: TaskClass.allCases) func thePlanOfAnotherClassIsRefused(
        taskClass: TaskClass
    ) {
        for other in TaskClass.allCases where other != taskClass {
            #expect(
                Self.refusal(Self.plan(of: other), for: taskClass)
                    == "cannot use 'plan of \(taskClass.name)': it is of another class")
        }
    }

    @Test func anotherUidOrGidIsRefused() {
        let expected = "cannot use 'plan of user': its uid or gid is not the class's"
        var plan = Self.plan(of: .user)
        plan.userID = 61003
        #expect(Self.refusal(plan, for: .user) == expected)
        plan = Self.plan(of: .user)
        plan.groupID = 61003
        #expect(Self.refusal(plan, for: .user) == expected)
    }

    @Test func rootsNumbersAreRefused() {
        for change: @Sendable (inout Plan) -> Void in [
            { $0.userID = 0 }, { $0.groupID = 0 }, { $0.supplementaryGroups = [7, 0] },
        ] {
            var plan = Self.plan(of: .user)
            change(&plan)
            let text = Self.refusal(plan, for: .user)
            #expect(
                text?.hasPrefix("cannot decode 'plan of user': cannot read plan: bad ") == true)
        }
    }

    @Test(arguments: TaskClass.allCases) func capabilitiesBeyondTheClassAreRefused(
        taskClass: TaskClass
    ) {
        let permitted: UInt64 =
            switch taskClass {
            case .maintenance, .security: Self.dacReadSearch
            case .agency, .user: 0
            }
        #expect(
            Self.refusal(Self.plan(of: taskClass, capabilities: permitted), for: taskClass) == nil)
        for bit in 0..<UInt64(64) where permitted & 1 << bit == 0 {
            let plan = Self.plan(of: taskClass, capabilities: permitted | 1 << bit)
            #expect(
                Self.refusal(plan, for: taskClass)
                    == "cannot use 'plan of \(taskClass.name)': "
                    + "it has capabilities that the class may not have", "bit \(bit)")
        }
    }

    @Test(arguments: TaskClass.allCases) func theUserNamespaceIsTheClassesNotThePlans(
        taskClass: TaskClass
    ) {
        var plan = Self.plan(of: taskClass)
        plan.hasUserNamespace.toggle()
        let words = plan.hasUserNamespace ? "it has a user namespace" : "it has no user namespace"
        #expect(
            Self.refusal(plan, for: taskClass)
                == "cannot use 'plan of \(taskClass.name)': \(words)")
    }

    @Test(arguments: Layer.allCases) func whatEverythingRestsOnIsNotOptional(layer: Layer) {
        let required: Set<Layer> = [
            .identity, .capabilities, .noNewPrivileges, .descriptors, .seccomp,
        ]
        var plan = Self.plan(of: .user)
        plan.optionalLayers = [layer]
        let expected =
            required.contains(layer)
            ? "cannot use 'plan of user': it can do without layer \(layer.name)" : nil
        #expect(Self.refusal(plan, for: .user) == expected)
    }

    @Test func bytesThatAreNoPlanAreRefused() {
        #expect(
            Self.refusal([], for: .user)
                == "cannot decode 'plan of user': cannot read plan: bad magic at byte 0")
        let bytes = PlanCodec.encode(Self.plan(of: .user))
        #expect(Self.refusal(Array(bytes.dropLast()), for: .user) != nil)
        #expect(Self.refusal(bytes + [0], for: .user) != nil)
    }
}
