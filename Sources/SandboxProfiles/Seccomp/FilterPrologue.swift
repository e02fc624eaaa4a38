// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CSeccomp
import Glibc
import LinuxSandbox

/// The instructions before libseccomp's program.
///
/// They can only refuse: every path that does not end here runs the program behind, so a fault in
/// them cannot allow what the program denies.
///
/// Plain rather than short: what depends on arguments stands behind one compare of the number each,
/// holes in the numbers behind two. `FilterCompaction` makes a search of it.
struct FilterPrologue {
    private var head: [FilterInstruction] = []
    private var checks: [(number: UInt32, body: [FilterInstruction])] = []

    /// The whole; it refuses or runs off its end.
    var instructions: [FilterInstruction] {
        var jumps: [FilterInstruction] = []
        var bodies: [FilterInstruction] = []
        let bodyCount = checks.reduce(0) { $0 + $1.body.count + 1 }
        for (index, check) in checks.enumerated() {
            // Two instructions for each compare that follows, and the jump over all bodies.
            let following = 2 * (checks.count - index - 1) + 1
            jumps.append(Self.step(Code.jumpEqual, check.number, ifFalse: 1))
            jumps.append(Self.step(Code.jump, UInt32(following + bodies.count)))
            bodies += check.body
            bodies.append(Self.step(Code.jump, UInt32(bodyCount - bodies.count - 1)))
        }
        return head + jumps + [Self.step(Code.jump, UInt32(bodyCount))] + bodies
    }

    private typealias Code = FilterCode

    /// Foreign architectures are killed, unknown numbers answered with ENOSYS.
    init(table: SyscallTable) {
        append(Code.loadWord, FilterWord.architecture)
        append(Code.jumpEqual, seccomp_arch_native(), ifTrue: 1)
        leave(.killProcess)
        append(Code.loadWord, FilterWord.number)
        #if arch(x86_64)
            // x32 calls carry this bit and reach another table of numbers.
            append(Code.jumpSet, 0x4000_0000, ifFalse: 1)
            leave(.killProcess)
        #endif
        append(Code.jumpGreater, UInt32(table.newest), ifFalse: 1)
        leave(.answer(ENOSYS))
        for hole in table.holes {
            append(Code.jumpAtLeast, hole.lowerBound, ifFalse: 2)
            append(Code.jumpGreater, hole.upperBound, ifTrue: 1)
            leave(.answer(ENOSYS))
        }
    }

    /// Answers values of one argument that are neither permitted nor to be reported.
    mutating func answerOthers(of rule: ArgumentRule, number: CInt) {
        guard case .answer(let errno) = rule.otherwise else { return }
        let passing = rule.permitted + rule.denied
        let compares = passing.enumerated().map { index, value in
            Self.step(Code.jumpEqual, value, ifTrue: UInt8(passing.count - index))
        }
        check(
            number,
            [Self.loadLow(rule.argument), Self.step(Code.and, rule.mask)] + compares
                + [Self.leave(.answer(errno))])
    }

    /// Answers a call for which all conditions of a refusal hold.
    mutating func answer(_ refusal: ArgumentRefusal, number: CInt) {
        var body = [Self.leave(refusal.errno.map { .answer($0) } ?? .notify)]
        for condition in refusal.conditions.reversed() {
            // What fails jumps over the rest, the answer included.
            let rest = UInt8(body.count)
            let test: [FilterInstruction]
            switch condition {
            case .anyBit(let mask, let argument):
                test = [Self.loadLow(argument), Self.step(Code.jumpSet, mask, ifFalse: rest)]
            case .equal(let value, let argument):
                test = [Self.loadLow(argument), Self.step(Code.jumpEqual, value, ifFalse: rest)]
            case .noneOf(let values, let argument):
                let compares = values.enumerated().map { index, value in
                    let following = UInt8(values.count - index - 1)
                    return Self.step(Code.jumpEqual, value, ifTrue: following + rest)
                }
                test = [Self.loadLow(argument)] + compares
            case .notNull(let argument):
                test = [
                    Self.loadLow(argument), Self.step(Code.jumpEqual, 0, ifFalse: 2),
                    Self.loadHigh(argument), Self.step(Code.jumpEqual, 0, ifTrue: rest),
                ]
            }
            body = test + body
        }
        check(number, body)
    }

    /// A call's checks stand one behind the other: what passes the first comes to the second.
    private mutating func check(_ number: CInt, _ body: [FilterInstruction]) {
        if let index = checks.firstIndex(where: { $0.number == UInt32(number) }) {
            checks[index].body += body
        } else {
            checks.append((UInt32(number), body))
        }
    }

    private mutating func leave(_ action: FilterAction) { head.append(Self.leave(action)) }

    private mutating func append(
        _ code: FilterCode, _ constant: UInt32, ifTrue: UInt8 = 0, ifFalse: UInt8 = 0
    ) {
        head.append(Self.step(code, constant, ifTrue: ifTrue, ifFalse: ifFalse))
    }

    private static func leave(_ action: FilterAction) -> FilterInstruction {
        step(Code.leave, action.code)
    }

    // The words of a 64-bit argument as a little-endian machine lays them out.
    private static func loadLow(_ argument: UInt32) -> FilterInstruction {
        step(Code.loadWord, FilterWord.arguments.lowerBound + 8 * argument)
    }

    private static func loadHigh(_ argument: UInt32) -> FilterInstruction {
        step(Code.loadWord, FilterWord.arguments.lowerBound + 8 * argument + 4)
    }

    private static func step(
        _ code: FilterCode, _ constant: UInt32, ifTrue: UInt8 = 0, ifFalse: UInt8 = 0
    ) -> FilterInstruction {
        FilterInstruction(
            code: code.rawValue, jumpTrue: ifTrue, jumpFalse: ifFalse, constant: constant)
    }
}
