// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import LinuxSandbox
import StrictYAML
import Testing

@testable import SandboxProfiles

/// The filters of the shipped profiles against what libseccomp and the prologue make of them.
@Suite struct FilterCompactionTests {
    static let subjects = (try? CompactionSubject.all.get()) ?? []

    @Test func everyShippedFilterCompiles() throws {
        #expect(try CompactionSubject.all.get().count == 7)
    }

    @Test(arguments: subjects) func isSmall(subject: CompactionSubject) {
        let sizes = "\(subject.name): \(subject.original.count) to \(subject.smaller.count)"
        print("size of the filter of \(sizes)")
        // The cost of a start grows with it: see FilterCompaction.
        #expect(subject.smaller.count <= 400, "\(sizes)")
        // A list of calls alone has little that repeats.
        #expect(
            ["workers", "scheduler", "keepers"].contains(subject.name)
                || subject.smaller.count * 2 < subject.original.count, "\(sizes)")
        #expect(subject.smaller.count < subject.original.count, "\(sizes)")
    }

    @Test(arguments: subjects) func everyNumberIsDecidedAsBefore(
        subject: CompactionSubject
    ) throws {
        for calls in [CompactionSubject.nativeNumbers, CompactionSubject.foreignNumbers] {
            let expected = try subject.expected(calls)
            #expect(Set(expected).count >= 3, "several actions are among them")
            let difference = CompactionSubject.difference(
                in: subject.smaller, on: calls, expected: expected)
            #expect(difference == nil)
        }
    }

    @Test(arguments: subjects) func everyArgumentIsDecidedAsBefore(
        subject: CompactionSubject
    ) throws {
        let expected = try subject.expected(subject.calls)
        let decisions = Dictionary(grouping: zip(subject.calls, expected)) { $0.0.number }
            .mapValues { Set($0.map(\.1)).count }
        let decided = decisions.count { $0.value > 1 }
        switch subject.name {
        case "workers": #expect(decisions.isEmpty, "no argument decides")
        case "scheduler": #expect(decided == 2, "clone and socket")
        case "keepers": #expect(decided == 4, "setns, mmap, mprotect and fchmod")
        default: #expect(decided > 10, "\(decisions)")
        }
        let difference = CompactionSubject.difference(
            in: subject.smaller, on: subject.calls, expected: expected)
        #expect(difference == nil)
    }

    @Test(arguments: subjects) func randomCallsAreDecidedAsBefore(
        subject: CompactionSubject
    ) throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("seed of the calls of \(subject.name): \(seed)")
        var generator = SeededGenerator(seed: seed)
        let constants = subject.original.map(\.constant)
        let deciding = Set(subject.calls.map(\.number)).sorted() + [0]
        func word() -> UInt32 {
            let constant = generator.pick(constants)
            switch generator.next() % 4 {
            case 0: return UInt32(truncatingIfNeeded: generator.next())
            case 1: return constant ^ (1 << UInt32(generator.next() % 32))
            case 2: return 0
            default: return constant
            }
        }
        let calls = (0..<100_000).map { index in
            let number =
                switch index % 4 {
                case 0: word()
                case 1: UInt32(generator.next() % 1024)
                default: generator.pick(deciding)
                }
            let isForeign = generator.next() % 16 == 0
            let arguments = (0..<6).map { _ in UInt64(word()) << 32 | UInt64(word()) }
            return SeccompCall(
                number: number, architecture: isForeign ? word() : SeccompCall.native,
                arguments: arguments)
        }
        let difference = CompactionSubject.difference(
            in: subject.smaller, on: calls, expected: try subject.expected(calls))
        #expect(difference == nil, "seed \(seed)")
    }

    /// What the tables above find, the check of each compilation finds, and the reverse.
    @Test(arguments: subjects.suffix(2)) func aChangedInstructionIsFound(
        subject: CompactionSubject
    ) throws {
        // Of the foreign ones those at a bound.
        let foreign = CompactionSubject.foreignNumbers.filter {
            ($0.number &+ 1) & 0x3FFF_FFFF < 3
        }
        let calls = CompactionSubject.nativeNumbers + foreign + subject.calls
        let expected = try subject.expected(calls)
        let comparison = try FilterComparison(
            with: subject.original, architecture: SeccompCall.native, subject: "filter")
        try comparison.verify(subject.smaller)
        var found = 0
        var mutants = 0
        for mutant in subject.smaller.indices.flatMap({ Self.mutants(subject.smaller, at: $0) }) {
            mutants += 1
            let difference = CompactionSubject.difference(
                in: mutant.program, on: calls, expected: expected)
            if difference != nil { found += 1 }
            let isRefused = (try? comparison.verify(mutant.program)) == nil
            #expect(isRefused == (difference != nil), "\(mutant.what)")
        }
        print("mutants of \(subject.name): \(mutants), found \(found)")
        // Some bounds may be moved: between two numbers with the same decision.
        #expect(found > 100 && found * 100 >= mutants * 95, "\(found) of \(mutants)")
    }

    private static func mutants(
        _ program: [FilterInstruction], at index: Int
    ) -> [(what: String, program: [FilterInstruction])] {
        let instruction = program[index]
        var changed: [FilterInstruction] = []
        func change(_ body: (inout FilterInstruction) -> Void) {
            var copy = instruction
            body(&copy)
            if copy != instruction { changed.append(copy) }
        }
        switch FilterCode(rawValue: instruction.code) {
        case .jumpEqual, .jumpAtLeast, .jumpGreater, .jumpSet:
            change { $0.constant &+= 1 }
            change { $0.constant &-= 1 }
            change { ($0.jumpTrue, $0.jumpFalse) = ($0.jumpFalse, $0.jumpTrue) }
            change { $0.jumpTrue &+= 1 }
        case .leave: change { $0.constant ^= 1 << 16 }
        case .loadWord: change { $0.constant ^= 8 }
        case .and, .jump: change { $0.constant ^= 1 }
        case nil: break
        }
        return changed.map { copy in
            var whole = program
            whole[index] = copy
            return ("\(index): \(instruction) to \(copy)", whole)
        }
    }
}
