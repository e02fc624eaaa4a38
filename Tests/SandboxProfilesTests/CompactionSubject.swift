// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import LinuxSandbox
import Testing

@testable import SandboxProfiles

/// A filter of the shipped profiles, as it comes together and as it is installed.
struct CompactionSubject: Sendable, CustomTestStringConvertible {
    var name: String
    var original: [FilterInstruction]
    var smaller: [FilterInstruction]
    /// Calls that an argument decides, with arguments to try.
    var calls: [SeccompCall]
    var testDescription: String { name }

    private init(
        name: String, _ original: [FilterInstruction], _ smaller: [FilterInstruction]
    ) {
        self.name = name
        self.original = original
        self.smaller = smaller
        calls = (0...1023).flatMap { number in
            ReachedArguments(of: original, for: number).calls(number)
        }
    }

    /// Those of all classes, and those of workers, scheduler and keepers; a failure to compile is a test's to report.
    static let all = Result {
        try TaskClass.allCases.map { taskClass in
            let filter = TaskFilter(
                try Shipped.profile(taskClass),
                identity: try #require(Shipped.identities[taskClass]))
            return CompactionSubject(
                name: taskClass.name, try filter.program(), try filter.compile())
        } + [
            CompactionSubject(
                name: "workers", try WorkerFilter.program(), try WorkerFilter.compile()),
            CompactionSubject(
                name: "scheduler", try SchedulerFilter.program(), try SchedulerFilter.compile()),
            CompactionSubject(
                name: "keepers", try KeeperFilter.program(), try KeeperFilter.compile()),
        ]
    }

    /// Every number up to 1023 with and without bits in its arguments.
    static let nativeNumbers: [SeccompCall] = (0...1023).flatMap { number in
        [0, 1, 0x5A5A_5A5A_5A5A_5A5A, 0xA5A5_A5A5_A5A5_A5A5, .max].map { argument in
            SeccompCall(number: number, arguments: [UInt64](repeating: argument, count: 6))
        }
    }

    /// The same as x32 and with other high bits, and of foreign machines.
    static let foreignNumbers: [SeccompCall] = {
        let highBits: [UInt32] = [0, 0x4000_0000, 0x8000_0000, 0xC000_0000]
        let architectures = [
            SeccompCall.native, SeccompCall.i386, 0, 0x4000_003E, 0x8000_003E, 0xC000_003D,
            0xC000_003F, 0xC000_00B7, .max,
        ]
        let edges: [UInt32] = [0x3FFF_FFFF, 0x7FFF_FFFF, 0xBFFF_FFFF, .max]
        return architectures.flatMap { architecture in
            (highBits.flatMap { high in (0...1023).map { $0 | high } } + edges).map {
                SeccompCall(number: $0, architecture: architecture)
            }
        }
    }()

    /// What the original program answers, which must not fail.
    func expected(_ calls: [SeccompCall]) throws -> [UInt32] {
        try calls.map { try BPFMachine.run(original, on: $0) }
    }

    /// The first of the calls about which a program says something else.
    static func difference(
        in program: [FilterInstruction], on calls: [SeccompCall], expected: [UInt32]
    ) -> SeccompCall? {
        zip(calls, expected).first { (try? BPFMachine.run(program, on: $0)) != $1 }?.0
    }
}

/// SplitMix64: the same numbers after the same seed.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }

    /// Draws one of a few values.
    mutating func pick<Element>(_ values: [Element]) -> Element {
        values[Int(next() % UInt64(values.count))]
    }
}
