// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import LinuxSandbox
import LinuxSystem
import Testing

@Suite struct PlanCodecTests {
    static var plan: Plan {
        var plan = Plan()
        plan.classIndex = 3
        plan.userID = 61004
        plan.groupID = 61004
        plan.supplementaryGroups = [7, 8]
        plan.hasUserNamespace = true
        plan.hostCapabilities = 1 << 40 | 5
        plan.mounts = [
            PlanMount(kind: .bindReadOnly, source: "/usr", target: "/usr"),
            PlanMount(kind: .symlink, source: "usr/lib", target: "/lib"),
            PlanMount(kind: .temporary, source: "", target: "/tmp", sizeBytes: 1 << 26),
        ]
        plan.landlockRules = [
            LandlockRule(path: "/usr", access: [.read, .execute], ifExists: true)
        ]
        plan.attemptLimits.memoryBytes = 1 << 28
        plan.classLimits.processes = 99
        plan.workerFilter = [
            FilterInstruction(code: 6, jumpTrue: 0, jumpFalse: 0, constant: 0x7FFF_0000)
        ]
        plan.taskFilter = [FilterInstruction(code: 6, jumpTrue: 1, jumpFalse: 2, constant: 3)]
        plan.optionalLayers = [.landlock, .keyring]
        plan.concurrency = 8
        plan.fileMask = 0o022
        return plan
    }

    /// What the fuzzer begins with is a plan of today: of another version nothing behind that is
    /// ever reached.
    @Test(arguments: ["maintenance", "user"]) func seedsOfTheFuzzerAreRead(name: String) throws {
        let tests = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
        let bytes = try File(reading: "/\(tests)/Fuzz/Corpus/plan/\(name)").bytes(limit: 4096)
        #expect(PlanCodec.encode(try PlanCodec.decode(bytes)) == bytes)
    }

    @Test func planSurvivesItsEncoding() throws {
        #expect(try PlanCodec.decode(PlanCodec.encode(Self.plan)) == Self.plan)
    }

    @Test func everyTruncationIsRefused() {
        let bytes = PlanCodec.encode(Self.plan)
        for count in 0..<bytes.count {
            #expect(throws: PlanError.self) { try PlanCodec.decode(Array(bytes[..<count])) }
        }
        #expect(throws: PlanError.self) { try PlanCodec.decode(bytes + [0]) }
    }

    /// A changed byte gives another plan or an error, but never a crash or the same plan.
    @Test func noByteIsIgnored() {
        let bytes = PlanCodec.encode(Self.plan)
        for index in bytes.indices {
            for flip in [UInt8(1), 0x80, 0xFF] {
                var changed = bytes
                changed[index] ^= flip
                let decoded = try? PlanCodec.decode(changed)
                #expect(decoded != Self.plan, "byte \(index) does not matter")
            }
        }
    }

    struct BadPlan: Sendable {
        var fault: String
        var field: String
        var change: @Sendable (inout Plan) -> Void
    }

    static let badPlans = [
        BadPlan(fault: "root as user", field: "user") { $0.userID = 0 },
        BadPlan(fault: "root as group", field: "group") { $0.groupID = 0 },
        BadPlan(fault: "root as further group", field: "group") { $0.supplementaryGroups = [0] },
        BadPlan(fault: "uid -1", field: "user") { $0.userID = .max },
        BadPlan(fault: "no worker filter", field: "worker filter") { $0.workerFilter = [] },
        BadPlan(fault: "no task filter", field: "task filter") { $0.taskFilter = [] },
        BadPlan(fault: "no concurrency", field: "concurrency") { $0.concurrency = 0 },
        BadPlan(fault: "target with ..", field: "mount target") {
            $0.mounts[0].target = "/usr/../etc"
        },
        BadPlan(fault: "relative target", field: "mount target") { $0.mounts[0].target = "usr" },
        BadPlan(fault: "root as target", field: "mount target") { $0.mounts[0].target = "/" },
        BadPlan(fault: "relative source", field: "mount source") { $0.mounts[0].source = "usr" },
        BadPlan(fault: "a rule of nothing", field: "landlock access") {
            $0.landlockRules[0].access = []
        },
        BadPlan(fault: "65 mounts", field: "mounts") { plan in
            plan.mounts = Array(repeating: plan.mounts[0], count: 65)
        },
    ]

    @Test(arguments: badPlans.indices) func badPlanIsRefusedByField(_ index: Int) {
        let bad = Self.badPlans[index]
        var plan = Self.plan
        bad.change(&plan)
        let error = #expect(throws: PlanError.self, "\(bad.fault)") {
            try PlanCodec.decode(PlanCodec.encode(plan))
        }
        #expect(error?.field == bad.field, "\(bad.fault)")
    }
}
