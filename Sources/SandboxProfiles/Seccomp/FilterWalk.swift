// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import LinuxSandbox
import StrictYAML

/// Runs a filter for all system calls at once, to find what it decides about each.
///
/// A range of numbers takes the place of one number, and is cut where a compare cuts it; of a
/// compare with an argument both branches are followed. What comes out holds for every number and
/// every argument, not for those that someone tried.
struct FilterWalk {
    /// Numbers from here up to the next run's, all with one decision.
    struct Run: Equatable {
        var lower: UInt32
        var decision: DecisionGraph.Decision
    }

    /// Whose numbers a walk takes.
    enum Origin { case native, foreign }

    /// What the runs refer to.
    var graph = DecisionGraph()
    private let architecture: UInt32
    private let subject: String
    private var program: [FilterInstruction] = []
    private var origin = Origin.native
    private var steps = 0

    /// About fifty times what the largest shipped profile needs.
    private static let mostSteps = 1_000_000

    /// Begins without a decision; `architecture` is the machine's own, the others are foreign.
    init(architecture: UInt32, subject: String) {
        self.architecture = architecture
        self.subject = subject
    }

    /// Finds the decision about every number, from 0 on and without a gap.
    ///
    /// - Throws: where the program does what is not understood here: there is no best guess.
    mutating func runs(
        of program: [FilterInstruction], from origin: Origin
    ) throws(ProfileError) -> [Run] {
        self.program = program
        self.origin = origin
        steps = 0
        var runs: [Run] = []
        try follow(Place(), into: &runs)
        return runs
    }

    private enum Accumulator {
        case nothing, number, architecture
        case argument(offset: UInt32, mask: UInt32)
    }

    /// A point of the program with all that is known there.
    private struct Place {
        var index = 0
        var accumulator = Accumulator.nothing
        var numbers: ClosedRange<UInt32> = 0...UInt32.max
        var facts = ArgumentFacts()
    }

    private mutating func follow(
        _ start: Place, into runs: inout [Run]
    ) throws(ProfileError) {
        var place = start
        while true {
            steps += 1
            guard steps <= Self.mostSteps else { throw fault("has too many paths") }
            guard program.indices.contains(place.index) else { throw fault("runs past its end") }
            let instruction = program[place.index]
            let constant = instruction.constant
            guard let code = FilterCode(rawValue: instruction.code) else {
                throw fault("has code 0x\(String(instruction.code, radix: 16))")
            }
            place.index += 1
            switch code {
            case .loadWord: place.accumulator = try word(at: constant)
            case .and:
                guard case .argument(let offset, let mask) = place.accumulator else {
                    throw fault("masks what is not an argument")
                }
                place.accumulator = .argument(offset: offset, mask: mask & constant)
            case .jump: place.index += Int(constant)
            case .leave:
                Self.append(
                    Run(lower: place.numbers.lowerBound, decision: graph.leave(constant)), to: &runs
                )
                return
            case .jumpEqual, .jumpGreater, .jumpAtLeast, .jumpSet:
                guard let next = try branch(code, instruction, at: place, into: &runs) else {
                    return
                }
                place = next
            }
        }
    }

    /// Follows a compare; returns the place behind it where there is a single one.
    private mutating func branch(
        _ code: FilterCode, _ instruction: FilterInstruction, at place: Place,
        into runs: inout [Run]
    ) throws(ProfileError) -> Place? {
        func behind(_ holds: Bool, _ numbers: ClosedRange<UInt32>? = nil) -> Place {
            var next = place
            next.index += Int(holds ? instruction.jumpTrue : instruction.jumpFalse)
            next.numbers = numbers ?? place.numbers
            return next
        }
        switch place.accumulator {
        case .nothing: throw fault("compares before it loads")
        case .architecture:
            // Of a foreign one is known that it is not the machine's, and no more.
            guard code == .jumpEqual,
                origin == .native || instruction.constant == architecture
            else { throw fault("tells foreign architectures apart") }
            return behind(origin == .native && instruction.constant == architecture)
        case .number:
            guard let parts = place.numbers.parts(code, instruction.constant) else {
                throw fault("cuts the numbers into too many parts")
            }
            if let only = parts.first, parts.count == 1 { return behind(only.holds) }
            for part in parts { try follow(behind(part.holds, part.numbers), into: &runs) }
            return nil
        case .argument(let offset, let mask):
            guard code == .jumpEqual || code == .jumpSet else {
                throw fault("orders arguments by size")
            }
            // A set bit means that the word under the bits is not 0.
            let isSet = code == .jumpSet
            let claim = ArgumentFacts.Claim(
                mask: isSet ? mask & instruction.constant : mask,
                value: isSet ? 0 : instruction.constant)
            if let verdict = place.facts.verdict(on: claim, at: offset) {
                return behind(verdict != isSet)
            }
            var sides: [[Run]] = []
            for holds in [true, false] {
                var next = behind(holds != isSet)
                next.facts.assume(claim, at: offset, holds: holds)
                var side: [Run] = []
                try follow(next, into: &side)
                sides.append(side)
            }
            let test = DecisionGraph.Test(
                offset: offset, mask: claim.mask, constant: claim.value)
            join(test, yes: sides[0], no: sides[1], into: &runs)
            return nil
        }
    }

    /// Puts a test before what both sides decide about the same numbers.
    private mutating func join(
        _ test: DecisionGraph.Test, yes: [Run], no: [Run], into runs: inout [Run]
    ) {
        for lower in Set((yes + no).map(\.lower)).sorted() {
            guard let first = yes.last(where: { $0.lower <= lower }),
                let second = no.last(where: { $0.lower <= lower })
            else { preconditionFailure("both sides begin with the same number") }
            let decision = graph.test(test, yes: first.decision, no: second.decision)
            Self.append(Run(lower: lower, decision: decision), to: &runs)
        }
    }

    private static func append(_ run: Run, to runs: inout [Run]) {
        if runs.last?.decision != run.decision { runs.append(run) }
    }

    private func word(at offset: UInt32) throws(ProfileError) -> Accumulator {
        switch offset {
        case FilterWord.number: return .number
        case FilterWord.architecture: return .architecture
        case FilterWord.arguments where offset % 4 == 0:
            return .argument(offset: offset, mask: .max)
        default: throw fault("loads from offset \(offset)")
        }
    }

    private func fault(_ what: String) -> ProfileError {
        ProfileError(
            file: subject, line: 0, reason: "cannot make the filter smaller: it \(what)")
    }
}

extension ClosedRange<UInt32> {
    /// The parts in which a compare has one outcome, in order; nil where they are too many.
    fileprivate func parts(
        _ code: FilterCode, _ constant: UInt32
    ) -> [(numbers: ClosedRange<UInt32>, holds: Bool)]? {
        // The first numbers of what may be parts, apart from the first of all.
        var cuts: [UInt32] = []
        switch code {
        case .jumpEqual:
            cuts = constant == .max ? [constant] : [constant, constant + 1]
        case .jumpAtLeast: cuts = [constant]
        case .jumpGreater: cuts = constant == .max ? [] : [constant + 1]
        case .jumpSet where constant != 0:
            // From one multiple of the lowest bit to the next nothing changes.
            let shift = UInt32(constant.trailingZeroBitCount)
            let blocks = (lowerBound >> shift)...(upperBound >> shift)
            guard blocks.upperBound - blocks.lowerBound < 16 else { return nil }
            cuts = blocks.map { $0 << shift }
        default: break
        }
        let starts = [lowerBound] + cuts.filter { $0 > lowerBound && $0 <= upperBound }
        return starts.indices.map { index in
            let upper = index + 1 < starts.count ? starts[index + 1] - 1 : upperBound
            let holds =
                switch code {
                case .jumpEqual: starts[index] == constant
                case .jumpAtLeast: starts[index] >= constant
                case .jumpGreater: starts[index] > constant
                default: starts[index] & constant != 0
                }
            return (starts[index]...upper, holds)
        }
    }
}
