// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import LinuxSandbox
import StrictYAML
import Testing

@testable import SandboxProfiles

/// Programs that no profile makes: long ones, odd ones, and those that are refused.
@Suite struct FilterCompactionShapeTests {
    let compaction = FilterCompaction(architecture: SeccompCall.native, subject: "filter")

    private static func step(
        _ code: UInt16, _ constant: UInt32, _ ifTrue: UInt8 = 0, _ ifFalse: UInt8 = 0
    ) -> FilterInstruction {
        FilterInstruction(
            code: code, jumpTrue: ifTrue, jumpFalse: ifFalse, constant: constant)
    }

    private static let prologue = [
        step(0x20, 4), step(0x15, SeccompCall.native, 1, 0), step(0x06, 0x8000_0000),
        step(0x20, 0),
    ]

    /// Each number has a decision of its own, so that jumps get longer than an instruction says.
    @Test func longJumpsLeadWhereShortOnesDid() throws {
        var program = Self.prologue
        for number: UInt32 in 0..<400 {
            program += [
                Self.step(0x15, number, 0, 4), Self.step(0x20, 16),
                // The first and the last have the same tests.
                Self.step(0x15, number % 399 + 7, 0, 1), Self.step(0x06, 0x7FFF_0000),
                Self.step(0x06, 0x5_0000 | number % 399),
            ]
        }
        program.append(Self.step(0x06, 0x7FC0_0000))
        let smaller = try compaction.compact(program)
        #expect(smaller.contains { $0.code == FilterCode.jump.rawValue })
        let returns = smaller.filter { $0.code == 0x06 }.map(\.constant)
        #expect(Set(returns).count < returns.count, "a return is there more than once")
        for number: UInt32 in 0...401 {
            for argument: UInt64 in [UInt64(number) + 6, UInt64(number) + 7, 7, 8] {
                let call = SeccompCall(number: number, arguments: [argument])
                let answer = try BPFMachine.run(smaller, on: call)
                #expect(try answer == BPFMachine.run(program, on: call), "\(call)")
            }
        }
    }

    @Test func whatFollowsFromAnEarlierTestIsNotTestedAgain() throws {
        let program =
            Self.prologue + [
                Self.step(0x20, 16), Self.step(0x45, 4, 0, 5),
                Self.step(0x54, 6), Self.step(0x15, 4, 2, 0), Self.step(0x15, 6, 1, 0),
                Self.step(0x06, 0x5_0001),  // not reached: either 4 or 6
                Self.step(0x06, 0x7FFF_0000),
                Self.step(0x06, 0x5_0002),
            ]
        let smaller = try compaction.compact(program)
        #expect(smaller.contains { $0.constant == 0x5_0002 })
        #expect(!smaller.contains { $0.constant == 0x5_0001 })
        // Two loads, two tests, three ends.
        #expect(smaller.count == 7)
    }

    /// Random programs over few words and small values, on all of these.
    @Test func randomProgramsDecideAsBefore() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("seed of the programs: \(seed)")
        var generator = SeededGenerator(seed: seed)
        var compacted = 0
        for index in 0..<600 {
            let program = Self.prologue + Self.randomBody(&generator)
            guard let smaller = try compactedOrRefused(program) else { continue }
            compacted += 1
            for number: UInt32 in 0...9 {
                for arguments in 0..<64 as Range<UInt64> {
                    let call = SeccompCall(
                        number: number, arguments: [arguments & 7, arguments >> 3])
                    let answer = try BPFMachine.run(smaller, on: call)
                    guard try answer != BPFMachine.run(program, on: call) else { continue }
                    Issue.record("program \(index) about \(call), seed \(seed)")
                    return
                }
            }
        }
        #expect(compacted > 200, "\(compacted) were not refused, seed \(seed)")
    }

    /// Nil where a jump brings a word to what is for another; other refusals are faults here.
    private func compactedOrRefused(
        _ program: [FilterInstruction]
    ) throws -> [FilterInstruction]? {
        do throws(ProfileError) {
            return try compaction.compact(program)
        } catch {
            let reasons = ["masks what is not", "orders arguments", "cuts the numbers"]
            guard reasons.contains(where: "\(error)".contains) else { throw error }
            return nil
        }
    }

    private static func randomBody(
        _ generator: inout SeededGenerator
    ) -> [FilterInstruction] {
        var body: [FilterInstruction] = []
        let length = 10 + Int(generator.next() % 30)
        func value() -> UInt32 { UInt32(generator.next() % 8) }
        while body.count < length {
            let word = generator.pick([0, 16, 24] as [UInt32])
            body.append(step(0x20, word))
            if word != 0, generator.next() % 2 == 0 { body.append(step(0x54, value())) }
            for _ in 0...(generator.next() % 3) {
                let codes: [UInt16] = word == 0 ? [0x15, 0x25, 0x35] : [0x15, 0x45]
                // Short ones: to what loads anew, or into what goes on with the same word.
                body.append(
                    step(
                        generator.pick(codes), value(), UInt8(generator.next() % 4),
                        UInt8(generator.next() % 4)))
            }
            if generator.next() % 3 == 0 { body.append(step(0x06, 0x5_0000 | value())) }
        }
        // What jumps over the end of the body lands here.
        return body + (0..<4).map { step(0x06, 0x5_0000 | $0) }
    }

    /// A program with a fault, and the words of its refusal.
    struct Refusal: Sendable, CustomTestStringConvertible {
        var body: [FilterInstruction]
        var words: String
        var testDescription: String { words }
    }

    static let refusals = [
        Refusal(body: [step(0x00, 1)], words: "it has code 0x0"),
        Refusal(body: [step(0x28, 0), step(0x06, 0)], words: "it has code 0x28"),
        Refusal(body: [step(0x1D, 0), step(0x06, 0)], words: "it has code 0x1d"),
        Refusal(body: [step(0x16, 0)], words: "it has code 0x16"),
        Refusal(body: [step(0x20, 8), step(0x06, 0)], words: "it loads from offset 8"),
        Refusal(body: [step(0x20, 18), step(0x06, 0)], words: "it loads from offset 18"),
        Refusal(body: [step(0x20, 64), step(0x06, 0)], words: "it loads from offset 64"),
        Refusal(body: [step(0x54, 1), step(0x06, 0)], words: "it masks what is not an argument"),
        Refusal(body: [step(0x15, 1, 9, 9)], words: "it runs past its end"),
        Refusal(body: [step(0x05, .max)], words: "it runs past its end"),
        Refusal(body: [], words: "it runs past its end"),
        Refusal(
            body: [step(0x20, 16), step(0x25, 3), step(0x06, 0)],
            words: "it orders arguments by size"),
        Refusal(
            body: [step(0x45, 1), step(0x06, 0)],
            words: "it cuts the numbers into too many parts"),
    ]

    @Test(arguments: refusals) func isRefused(refusal: Refusal) {
        let error = #expect(throws: ProfileError.self) {
            try compaction.compact(Self.prologue + refusal.body)
        }
        #expect(error.map { "\($0)".hasSuffix("smaller: \(refusal.words)") } == true)
    }

    @Test func whatTellsForeignArchitecturesApartIsRefused() {
        let program = [
            Self.step(0x20, 4), Self.step(0x15, SeccompCall.i386, 0, 1), Self.step(0x06, 1),
            Self.step(0x06, 2),
        ]
        let error = #expect(throws: ProfileError.self) { try compaction.compact(program) }
        #expect(error.map { "\($0)".contains("tells foreign architectures apart") } == true)
    }

    @Test func aCompareBeforeAnyLoadIsRefused() {
        let program = [Self.step(0x15, 0, 0, 0), Self.step(0x06, 2)]
        let error = #expect(throws: ProfileError.self) { try compaction.compact(program) }
        #expect(error.map { "\($0)".contains("compares before it loads") } == true)
    }

    @Test func aSmallerProgramThatDecidesOtherwiseIsRefused() throws {
        let program = Self.prologue + [Self.step(0x06, 0x5_0001)]
        var other = program
        other[4].constant = 0x7FFF_0000
        try compaction.verify(program, decidesAs: program)
        let error = #expect(throws: ProfileError.self) {
            try compaction.verify(other, decidesAs: program)
        }
        #expect(error.map { "\($0)".contains("decides otherwise") } == true)
    }
}
