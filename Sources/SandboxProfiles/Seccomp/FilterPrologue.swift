// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CSeccomp
import Glibc
import LinuxSandbox

/// The instructions before libseccomp's program.
///
/// They can only refuse: every path that does not end here runs the program behind, so a fault in
/// them cannot allow what the program denies.
struct FilterPrologue {
    private(set) var instructions: [FilterInstruction] = []

    // <linux/bpf_common.h>; offsets in struct seccomp_data.
    private enum Code {
        static let loadWord: UInt16 = 0x20
        static let and: UInt16 = 0x54
        static let jump: UInt16 = 0x05
        static let jumpEqual: UInt16 = 0x15
        static let jumpGreater: UInt16 = 0x25
        static let jumpAtLeast: UInt16 = 0x35
        static let jumpSet: UInt16 = 0x45
        static let leave: UInt16 = 0x06
    }
    private static let numberOffset: UInt32 = 0
    private static let architectureOffset: UInt32 = 4

    /// Foreign architectures are killed, unknown numbers answered with ENOSYS.
    init(table: SyscallTable) {
        append(Code.loadWord, Self.architectureOffset)
        append(Code.jumpEqual, seccomp_arch_native(), ifTrue: 1)
        leave(.killProcess)
        append(Code.loadWord, Self.numberOffset)
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
        // load, and, one compare each, answer: then the accumulator holds the number again.
        let length = passing.count + 3
        append(Code.loadWord, Self.numberOffset)
        append(Code.jumpEqual, UInt32(number), ifTrue: 1)
        append(Code.jump, UInt32(length))
        append(Code.loadWord, 16 + 8 * rule.argument)
        append(Code.and, rule.mask)
        for (index, value) in passing.enumerated() {
            append(Code.jumpEqual, value, ifTrue: UInt8(passing.count - index))
        }
        leave(.answer(errno))
    }

    private mutating func leave(_ action: FilterAction) { append(Code.leave, action.code) }

    private mutating func append(
        _ code: UInt16, _ constant: UInt32, ifTrue: UInt8 = 0, ifFalse: UInt8 = 0
    ) {
        instructions.append(
            FilterInstruction(
                code: code, jumpTrue: ifTrue, jumpFalse: ifFalse, constant: constant))
    }
}
