// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import CLinux
import Glibc
import LinuxSandbox
import SandboxProfiles
import Testing

@testable import AicoSupervisor

/// The plans of the shipped profiles, and what a compiler that was taken over could make of them.
@Suite struct ForgedPlanTests {
    private static let plans: [TaskClass: Result<Plan, any Error>] = {
        let root = "/" + #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
        let identities = ClassIdentities(
            Dictionary(
                uniqueKeysWithValues: TaskClass.allCases.map {
                    let number = 61001 + UInt32($0.rawValue)
                    return ($0, .init(userID: number, groupID: number))
                }))
        let paths = InstancePaths(
            root: "/r", executables: "/r/run/aico/bin",
            profiles: "/r/run/aico/sandbox-profiles")
        return Dictionary(
            uniqueKeysWithValues: TaskClass.allCases.map { taskClass in
                let plan = Result {
                    try ProfileCompiler.plan(
                        of: ProfileCompiler.read(
                            class: taskClass, profilesDirectory: "\(root)/sandbox-profiles"),
                        paths: paths, identities: identities)
                }
                return (taskClass, plan)
            })
    }()

    private func excess(
        _ taskClass: TaskClass = .user, _ change: (inout Plan) -> Void
    ) throws -> String? {
        var plan = try #require(Self.plans[taskClass]).get()
        change(&plan)
        return PlanMountTests.ceiling(taskClass).excess(of: plan)
    }

    @Test(arguments: TaskClass.allCases) func whatIsShippedIsWithin(taskClass: TaskClass) throws {
        #expect(try excess(taskClass) { _ in } == nil)
    }

    // MARK: - Filters

    private static func step(
        _ code: UInt16, _ constant: UInt32, _ yes: UInt8 = 0, _ no: UInt8 = 0
    ) -> FilterInstruction {
        FilterInstruction(code: code, jumpTrue: yes, jumpFalse: no, constant: constant)
    }

    private static let allow = step(6, 0x7FFF_0000)

    /// Lets one number of this machine's table run, and leaves the rest to the filter behind.
    static func opening(_ number: Int32) -> [FilterInstruction] {
        [
            step(0x20, 4), step(0x15, DeniedCalls.native, 0, 3), step(0x20, 0),
            step(0x15, UInt32(number), 0, 1), allow,
        ]
    }

    @Test func eachCallOfTheListIsDeniedWhateverThePlanSays() throws {
        for call in DeniedCalls.ofWorkers + DeniedCalls.ofTasks {
            let excess = try excess { $0.taskFilter = Self.opening(call.number) + $0.taskFilter }
            // Of calls that an argument decides the first is named.
            let named = (DeniedCalls.ofWorkers + DeniedCalls.ofTasks).first {
                $0.number == call.number
            }
            #expect(
                excess == named.map { "its filter of tasks lets run \($0.name)" }, "\(call.name)")
        }
        // The control: a call that is in no list.
        #expect(try excess { $0.taskFilter = Self.opening(SYS_read) + $0.taskFilter } == nil)
        for call in DeniedCalls.ofWorkers {
            #expect(
                try excess { $0.workerFilter = Self.opening(call.number) + $0.workerFilter }
                    == "its filter of workers lets run \(call.name)")
        }
    }

    /// An argument that is let through hides the call from whoever asks with another.
    @Test func aCallThatOneArgumentOpensIsOpen() throws {
        let opening = [
            Self.step(0x20, 4), Self.step(0x15, DeniedCalls.native, 0, 5), Self.step(0x20, 0),
            Self.step(0x15, UInt32(SYS_ptrace), 0, 3), Self.step(0x20, 24),
            Self.step(0x15, 0x1234_5678, 0, 1), Self.allow,
        ]
        #expect(
            try excess { $0.taskFilter = opening + $0.taskFilter }
                == "its filter of tasks lets run ptrace")
    }

    @Test(arguments: [TaskClass.maintenance, .security, .agency])
    func onlyClassUserExecutes(taskClass: TaskClass) throws {
        let opening = Self.opening(SYS_execve)
        #expect(
            try excess(taskClass) { $0.taskFilter = opening + $0.taskFilter }
                == "its filter of tasks lets run execve")
        #expect(try excess(.user) { $0.taskFilter = opening + $0.taskFilter } == nil)
    }

    @Test func otherTablesAreDenied() throws {
        #expect(
            try excess { $0.taskFilter = [Self.allow] }
                == "its filter of tasks lets run programs of another architecture")
        #expect(
            try excess { $0.workerFilter = [Self.allow] }
                == "its filter of workers lets run programs of another architecture")
        guard let bit = DeniedCalls.otherTable else { return }
        let opening = [
            Self.step(0x20, 4), Self.step(0x15, DeniedCalls.native, 0, 3), Self.step(0x20, 0),
            Self.step(0x45, bit, 0, 1), Self.allow,
        ]
        #expect(
            try excess { $0.taskFilter = opening + $0.taskFilter }
                == "its filter of tasks lets run calls of x32")
    }

    @Test func whatCannotBeJudgedIsRefused() throws {
        let words = "its filter of tasks has an instruction that cannot be judged"
        // BPF_MISC | BPF_TAX, a division, and an end that is none.
        for program in [[Self.step(0x07, 0)], [Self.step(0x34, 1)], [Self.step(0x20, 0)], []] {
            #expect(try excess { $0.taskFilter = program } == words)
        }
    }

    // MARK: - Limits

    @Test func noLimitIsNoneOrAboveTheMost() throws {
        let changes: [(String, @Sendable (inout Plan, UInt64) -> Void, UInt64)] = [
            ("memory", { $0.attemptLimits.memoryBytes = $1 }, 1 << 40),
            ("processes", { $0.attemptLimits.processes = $1 }, 32_768),
            ("cpu", { $0.attemptLimits.cpuPercent = $1 }, 102_400),
            ("time", { $0.attemptLimits.wallSeconds = UInt32($1) }, 604_800),
            ("open files", { $0.attemptLimits.openFiles = UInt32($1) }, 65_536),
            ("file size", { $0.attemptLimits.fileSizeBytes = $1 }, 1 << 40),
            ("memory of the class", { $0.classLimits.memoryBytes = $1 }, 1 << 40),
            ("processes of the class", { $0.classLimits.processes = $1 }, 32_768),
            ("cpu of the class", { $0.classLimits.cpuPercent = $1 }, 102_400),
        ]
        for (name, change, most) in changes {
            #expect(try excess { change(&$0, 0) } == "its limit of \(name) is none")
            #expect(try excess { change(&$0, most + 1) } == "its limit of \(name) is \(most + 1)")
            #expect(try excess { change(&$0, most) } == nil, "\(name)")
        }
    }

    /// One that a class may leave out has no least, and no attempt one of its own.
    @Test func aWeightIsTheClassesAlone() throws {
        #expect(try excess { $0.classLimits.ioWeight = 0 } == nil)
        #expect(try excess { $0.classLimits.ioWeight = 1000 } == nil)
        #expect(
            try excess { $0.classLimits.ioWeight = 1001 }
                == "its limit of io weight of the class is 1001")
        #expect(
            try excess { $0.attemptLimits.ioWeight = 1 } == "its limit of io weight is 1")
    }

    @Test func temporaryFilesHaveABound() throws {
        for size in [0, 257 << 20] as [UInt64] {
            let excess = try excess { plan in
                for index in plan.mounts.indices where plan.mounts[index].kind == .temporary {
                    plan.mounts[index].sizeBytes = size
                }
            }
            #expect(excess == "'/tmp' has room for \(size) bytes")
        }
    }

    // MARK: - Landlock

    @Test(arguments: [
        // What is mounted for reading, or for the worker alone, or not at all.
        (TaskClass.user, LandlockRule(path: "/usr", access: .write)),
        (.user, LandlockRule(path: "/aico/bin", access: .read)),
        (.user, LandlockRule(path: "/proc", access: [.read, .write])),
        (.user, LandlockRule(path: "/srv", access: .read)),
        (.user, LandlockRule(path: "/aico", access: .read)),
        (.user, LandlockRule(path: "/usr", access: .list)),
        (.user, LandlockRule(path: "/aico/work", access: [.read, .execute])),
        (.user, LandlockRule(path: "/tmp", access: .execute)),
        (.maintenance, LandlockRule(path: "/usr/lib", access: .execute)),
        (.security, LandlockRule(path: "/aico/keys", access: .write)),
    ]) func aRuleBeyondTheMountsIsRefused(taskClass: TaskClass, rule: LandlockRule) throws {
        #expect(
            try excess(taskClass) { $0.landlockRules.append(rule) }
                == "it opens '\(rule.path)' by Landlock")
    }
}
