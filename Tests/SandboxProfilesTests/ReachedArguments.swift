// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import LinuxSandbox

/// The words of arguments that a program may load for one number, each with the constants that it
/// meets there.
///
/// A plain search through the program, which shares nothing with what makes it smaller.
struct ReachedArguments {
    private(set) var constants: [UInt32: Set<UInt32>] = [:]

    private enum Accumulator: Hashable {
        case known(UInt32)
        case word(UInt32)
    }

    private struct Place: Hashable {
        var index: Int
        var accumulator: Accumulator
    }

    init(of program: [FilterInstruction], for number: UInt32) {
        var seen: Set<Place> = []
        var waiting = [Place(index: 0, accumulator: .known(0))]
        while let place = waiting.popLast() {
            guard seen.insert(place).inserted, program.indices.contains(place.index) else {
                continue
            }
            let instruction = program[place.index]
            let constant = instruction.constant
            var next = Place(index: place.index + 1, accumulator: place.accumulator)
            switch (instruction.code, place.accumulator) {
            case (0x20, _):
                next.accumulator =
                    switch constant {
                    case 0: .known(number)
                    case 4: .known(SeccompCall.native)
                    default: .word(constant)
                    }
                waiting.append(next)
            case (0x05, _):
                next.index += Int(constant)
                waiting.append(next)
            case (0x06, _): break
            case (0x54, .known(let value)):
                next.accumulator = .known(value & constant)
                waiting.append(next)
            case (0x54, .word(let offset)):
                constants[offset, default: []].insert(constant)
                waiting.append(next)
            case (let code, .known(let value)):
                let holds =
                    switch code {
                    case 0x15: value == constant
                    case 0x25: value > constant
                    case 0x35: value >= constant
                    default: value & constant != 0
                    }
                next.index += Int(holds ? instruction.jumpTrue : instruction.jumpFalse)
                waiting.append(next)
            case (_, .word(let offset)):
                constants[offset, default: []].insert(constant)
                for skipped in [instruction.jumpTrue, instruction.jumpFalse] {
                    var side = next
                    side.index += Int(skipped)
                    waiting.append(side)
                }
            }
        }
    }

    /// Calls that try each loaded word with many values while the others have a few.
    func calls(_ number: UInt32) -> [SeccompCall] {
        var calls: [SeccompCall] = []
        for (offset, constants) in constants.sorted(by: { $0.key < $1.key }) {
            let others = self.constants.filter { $0.key != offset }.mapValues(Self.few)
            for value in Self.many(constants) {
                calls += Self.combinations([offset: [value]].merging(others) { $1 }, number)
            }
        }
        return calls
    }

    /// Each constant and 0, their neighbours and those one bit away.
    private static func many(_ constants: Set<UInt32>) -> [UInt32] {
        var values: Set<UInt32> = [0, .max, constants.reduce(0, |)]
        for constant in constants.union([0]) {
            values.formUnion([constant, constant &+ 1, constant &- 1])
            values.formUnion((0..<32).map { constant ^ (1 << UInt32($0)) })
        }
        return values.sorted()
    }

    private static func few(_ constants: Set<UInt32>) -> [UInt32] {
        constants.union([0, .max]).sorted()
    }

    private static func combinations(
        _ words: [UInt32: [UInt32]], _ number: UInt32
    ) -> [SeccompCall] {
        var calls: [[UInt64]] = [[UInt64](repeating: 0, count: 6)]
        for (offset, values) in words.sorted(by: { $0.key < $1.key }) {
            let shift = offset % 8 == 0 ? 0 : 32 as UInt64
            calls = calls.flatMap { arguments in
                values.map { value in
                    var arguments = arguments
                    arguments[Int(offset - 16) / 8] |= UInt64(value) << shift
                    return arguments
                }
            }
        }
        // High halves that are not loaded must not count.
        let garbage = calls.map { arguments in
            arguments.indices.map { index in
                words[UInt32(20 + 8 * index)] == nil
                    ? arguments[index].withHighGarbage : arguments[index]
            }
        }
        return (calls + garbage).map { SeccompCall(number: number, arguments: $0) }
    }
}
