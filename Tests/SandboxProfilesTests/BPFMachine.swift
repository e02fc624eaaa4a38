// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import LinuxSandbox

/// What the kernel hands to a filter: struct seccomp_data.
struct SeccompCall {
    /// AUDIT_ARCH_X86_64.
    static let native: UInt32 = 0xC000_003E
    /// AUDIT_ARCH_I386.
    static let i386: UInt32 = 0x4000_0003

    var number: UInt32
    var architecture = SeccompCall.native
    var arguments: [UInt64] = []

    /// The 32-bit word at an offset, little endian.
    func word(at offset: UInt32) throws(BPFFault) -> UInt32 {
        switch offset {
        case 0: return number
        case 4: return architecture
        // The instruction pointer: no filter of ours may depend on it.
        case 16..<64 where offset % 4 == 0:
            let index = Int(offset - 16) / 8
            let argument = index < arguments.count ? arguments[index] : 0
            return UInt32(truncatingIfNeeded: offset % 8 == 0 ? argument : argument >> 32)
        default: throw BPFFault(reason: "load from offset \(offset)")
        }
    }
}

/// A program that the kernel would refuse or that does what no filter of ours may.
struct BPFFault: Error, Equatable {
    var reason: String
}

/// Runs classic BPF over a system call, as seccomp(2) does.
enum BPFMachine {
    /// The value with which the program leaves.
    static func run(
        _ program: [FilterInstruction], on call: SeccompCall
    ) throws(BPFFault) -> UInt32 {
        var accumulator: UInt32 = 0
        var index = 0
        // A jump leads forward only. Without the range that `indices` makes: it runs millions of times.
        while index < program.count {
            let instruction = program[index]
            let constant = instruction.constant
            index += 1
            var holds: Bool?
            switch instruction.code {
            case 0x20: accumulator = try call.word(at: constant)  // BPF_LD | BPF_W | BPF_ABS
            case 0x54: accumulator &= constant  // BPF_ALU | BPF_AND | BPF_K
            case 0x05: index += Int(constant)  // BPF_JMP | BPF_JA
            case 0x15: holds = accumulator == constant  // BPF_JMP | BPF_JEQ | BPF_K
            case 0x25: holds = accumulator > constant  // BPF_JMP | BPF_JGT | BPF_K
            case 0x35: holds = accumulator >= constant  // BPF_JMP | BPF_JGE | BPF_K
            case 0x45: holds = accumulator & constant != 0  // BPF_JMP | BPF_JSET | BPF_K
            case 0x06: return constant  // BPF_RET | BPF_K
            default:
                let code = String(instruction.code, radix: 16)
                throw BPFFault(reason: "unknown code 0x\(code)")
            }
            if let holds { index += Int(holds ? instruction.jumpTrue : instruction.jumpFalse) }
        }
        throw BPFFault(reason: "ran past the end")
    }
}

/// What a filter decides, in the order of precedence that seccomp(2) gives.
enum Verdict: Hashable, Comparable, Sendable, CustomStringConvertible {
    case kill
    case errno(Int32)
    case notify
    /// ENOSYS where nobody traces; below `notify`.
    case trace
    case allow

    init(_ value: UInt32) throws(BPFFault) {
        switch value & 0xFFFF_0000 {
        case 0x8000_0000: self = .kill
        case 0x0005_0000: self = .errno(Int32(value & 0xFFFF))
        case 0x7FC0_0000: self = .notify
        case 0x7FF0_0000: self = .trace
        case 0x7FFF_0000: self = .allow
        default: throw BPFFault(reason: "unknown action 0x\(String(value, radix: 16))")
        }
    }

    var description: String {
        switch self {
        case .kill: "kill"
        case .errno(let number): "errno \(number)"
        case .notify: "notify"
        case .trace: "trace"
        case .allow: "allow"
        }
    }
}
