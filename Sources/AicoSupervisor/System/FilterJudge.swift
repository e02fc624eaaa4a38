// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import LinuxSandbox

/// Follows a seccomp filter for one call of which only some words are known: whether any path of the
/// program, whatever the others are, lets it run.
///
/// It shares nothing with what compiles filters, and takes only the few operations that these are
/// made of: a program with another one is not judged.
struct FilterJudge {
    /// The offsets of struct seccomp_data.
    enum Word {
        static let number: UInt32 = 0
        static let architecture: UInt32 = 4
        /// The low half of an argument.
        static func argument(_ index: UInt32) -> UInt32 { 16 + 8 * index }
    }

    /// What becomes of a call.
    enum Verdict: Equatable {
        /// No path lets it run.
        case denied
        /// Some path may.
        case permitted
        /// The program has an instruction that is not known here, or runs past its end.
        case unknown
    }

    /// The actions of <linux/seccomp.h> that keep a call from running: kill, trap, errno, a
    /// notification, and trace, which answers ENOSYS where nobody traces.
    private static let denials: Set<UInt32> = [
        0x8000_0000, 0x0000_0000, 0x0003_0000, 0x0005_0000, 0x7FC0_0000, 0x7FF0_0000,
    ]

    private struct Place: Hashable {
        var index: Int
        /// The accumulator; nil where it is not known.
        var value: UInt32?
    }

    private let program: [FilterInstruction]

    init(_ program: [FilterInstruction]) { self.program = program }

    /// Judges a call by the words that are known of it, by their offsets.
    func verdict(on known: [UInt32: UInt32]) -> Verdict {
        var seen: Set<Place> = []
        var waiting = [Place(index: 0, value: 0)]
        while let place = waiting.popLast() {
            guard seen.insert(place).inserted else { continue }
            guard program.indices.contains(place.index) else { return .unknown }
            let step = program[place.index]
            let next = place.index + 1
            switch step.code {
            case 0x06:  // return
                guard Self.denials.contains(step.constant & 0xFFFF_0000) else { return .permitted }
            case 0x05: waiting.append(Place(index: next + Int(step.constant), value: place.value))
            case 0x20: waiting.append(Place(index: next, value: known[step.constant]))
            case 0x54:  // and
                waiting.append(
                    Place(index: next, value: place.value.map { $0 & step.constant }))
            case 0x15, 0x25, 0x35, 0x45:
                let sides: [UInt8]
                if let value = place.value {
                    sides = [Self.holds(step, value) ? step.jumpTrue : step.jumpFalse]
                } else {
                    sides = [step.jumpTrue, step.jumpFalse]
                }
                for side in sides {
                    waiting.append(Place(index: next + Int(side), value: place.value))
                }
            default: return .unknown
            }
        }
        return .denied
    }

    private static func holds(_ step: FilterInstruction, _ value: UInt32) -> Bool {
        switch step.code {
        case 0x15: value == step.constant
        case 0x25: value > step.constant
        case 0x35: value >= step.constant
        default: value & step.constant != 0
        }
    }
}
