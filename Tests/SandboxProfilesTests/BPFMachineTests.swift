// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import LinuxSandbox
import Testing

/// The interpreter itself: a test of filters is worth as much as it.
@Suite struct BPFMachineTests {
    private static func step(
        _ code: UInt16, _ constant: UInt32, _ jumpTrue: UInt8 = 0, _ jumpFalse: UInt8 = 0
    ) -> FilterInstruction {
        FilterInstruction(
            code: code, jumpTrue: jumpTrue, jumpFalse: jumpFalse, constant: constant)
    }

    private static let call = SeccompCall(
        number: 7, arguments: [0x1111_2222_3333_4444, 0, 0, 0, 0, 0x5555_6666_7777_8888])

    /// Loads a word and gives it back, by comparing it.
    private func holds(_ offset: UInt32, _ word: UInt32) throws -> Bool {
        let program = [
            Self.step(0x20, offset), Self.step(0x15, word, 0, 1), Self.step(0x06, 1),
            Self.step(0x06, 0),
        ]
        return try BPFMachine.run(program, on: Self.call) == 1
    }

    @Test func loadsReadNumberArchitectureAndHalvesOfArguments() throws {
        #expect(try holds(0, 7))
        #expect(try !holds(0, 8))
        #expect(try holds(4, 0xC000_003E))
        #expect(try holds(16, 0x3333_4444))
        #expect(try holds(20, 0x1111_2222))
        #expect(try holds(56, 0x7777_8888))
        #expect(try holds(60, 0x5555_6666))
    }

    struct Compare: Sendable, CustomTestStringConvertible {
        var code: UInt16
        /// For a constant below, equal to and above the number 7.
        var expected: [Bool]

        var testDescription: String { "code \(code)" }
    }

    @Test(arguments: [
        Compare(code: 0x15, expected: [false, true, false]),
        Compare(code: 0x25, expected: [true, false, false]),
        Compare(code: 0x35, expected: [true, true, false]),
        // 7 & 6, 7 & 7, 7 & 8.
        Compare(code: 0x45, expected: [true, true, false]),
    ]) func comparesTakeTheRightBranch(compare: Compare) throws {
        for (constant, expected) in zip([6, 7, 8] as [UInt32], compare.expected) {
            let program = [
                Self.step(0x20, 0), Self.step(compare.code, constant, 1, 0), Self.step(0x06, 10),
                Self.step(0x06, 20),
            ]
            #expect(try BPFMachine.run(program, on: Self.call) == (expected ? 20 : 10))
        }
    }

    @Test func andAndJumpDoWhatTheySay() throws {
        let program = [
            Self.step(0x20, 0), Self.step(0x54, 3), Self.step(0x05, 1), Self.step(0x06, 1),
            Self.step(0x15, 3, 0, 1), Self.step(0x06, 2), Self.step(0x06, 3),
        ]
        #expect(try BPFMachine.run(program, on: Self.call) == 2)
    }

    @Test func whatTheKernelWouldRefuseIsAFault() {
        #expect(throws: BPFFault(reason: "ran past the end")) {
            try BPFMachine.run([Self.step(0x20, 0)], on: Self.call)
        }
        #expect(throws: BPFFault(reason: "load from offset 8")) {
            try BPFMachine.run([Self.step(0x20, 8)], on: Self.call)
        }
        #expect(throws: BPFFault(reason: "unknown code 0x16")) {
            try BPFMachine.run([Self.step(0x16, 0)], on: Self.call)
        }
    }

    @Test func actionsHaveTheKernelsOrderOfPrecedence() throws {
        let words: [UInt32] = [
            0x8000_0000, 0x0005_0001, 0x7FC0_0000, 0x7FF0_0000, 0x7FFF_0000,
        ]
        let verdicts = try words.map { try Verdict($0) }
        #expect(verdicts == verdicts.sorted())
        #expect(verdicts == [.kill, .errno(1), .notify, .trace, .allow])
    }
}
