// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CSeccomp
import Glibc
import LinuxSandbox
import StrictYAML

/// What happens to a system call.
enum FilterAction: Equatable {
    case allow
    /// Held for the user notifier: the fork server reports it by name and kills the attempt.
    case notify
    case answer(CInt)
    case killProcess
    /// ENOSYS where nobody traces, and of lower precedence than `notify`: see seccomp(2).
    case skip

    var code: UInt32 {
        switch self {
        case .allow: 0x7FFF_0000
        case .notify: 0x7FC0_0000
        case .answer(let number): 0x0005_0000 | UInt32(number & 0xFFFF)
        case .killProcess: 0x8000_0000
        case .skip: 0x7FF0_0000
        }
    }
}

/// A libseccomp context that becomes BPF instructions.
struct SeccompContext: ~Copyable {
    private let context: scmp_filter_ctx
    private let subject: String

    init(default action: FilterAction, subject: String) throws(ProfileError) {
        // The plan is compiled for a kernel with the notifier, whatever machine compiles it.
        _ = seccomp_api_set(6)
        guard let context = seccomp_init(action.code) else {
            throw ProfileError(file: subject, line: 0, reason: "libseccomp cannot make a filter")
        }
        let foreign = seccomp_attr_set(
            context, SCMP_FLTATR_ACT_BADARCH, FilterAction.killProcess.code)
        guard foreign == 0 else {
            seccomp_release(context)
            throw ProfileError(
                file: subject, line: 0, reason: "libseccomp cannot set a filter's attributes")
        }
        self.context = context
        self.subject = subject
    }

    deinit { seccomp_release(context) }

    /// Adds a rule for a call, with all of the comparisons holding.
    borrowing func add(
        _ action: FilterAction, _ number: CInt, _ comparisons: [scmp_arg_cmp] = []
    ) throws(ProfileError) {
        let result = comparisons.withUnsafeBufferPointer { buffer in
            seccomp_rule_add_array(
                context, action.code, number, UInt32(buffer.count), buffer.baseAddress)
        }
        try check(result, "add a rule for call \(number)")
    }

    /// Exports the program.
    borrowing func instructions() throws(ProfileError) -> [FilterInstruction] {
        var ends: [CInt] = [-1, -1]
        guard pipe(&ends) == 0 else {
            throw ProfileError(
                file: subject, line: 0, reason: "cannot make a pipe: \(errorText(errno))")
        }
        defer { close(ends[0]) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        // The kernel's limit of 4096 instructions is 32 KiB: half of a pipe's default size.
        let exported = seccomp_export_bpf(context, ends[1])
        close(ends[1])
        try check(exported, "export the filter")
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let got = read(ends[0], &chunk, chunk.count)
            if got <= 0 { break }
            bytes.append(contentsOf: chunk.prefix(got))
        }
        return stride(from: 0, to: bytes.count - 7, by: 8).map { start in
            FilterInstruction(littleEndian: bytes[start..<(start + 8)])
        }
    }

    private borrowing func check(_ result: CInt, _ operation: String) throws(ProfileError) {
        guard result == 0 else {
            throw ProfileError(
                file: subject, line: 0,
                reason: "libseccomp cannot \(operation): \(errorText(-result))")
        }
    }
}

extension FilterInstruction {
    /// Reads struct sock_filter as a little-endian machine lays it out.
    fileprivate init(littleEndian bytes: ArraySlice<UInt8>) {
        let byte = Array(bytes)
        self.init(
            code: UInt16(byte[0]) | UInt16(byte[1]) << 8, jumpTrue: byte[2], jumpFalse: byte[3],
            constant: UInt32(byte[4]) | UInt32(byte[5]) << 8 | UInt32(byte[6]) << 16
                | UInt32(byte[7]) << 24)
    }
}

/// Compares the low 32 bits of an argument under a mask.
func masked(_ argument: UInt32, _ mask: UInt32, equals value: UInt32) -> scmp_arg_cmp {
    scmp_arg_cmp(
        arg: argument, op: SCMP_CMP_MASKED_EQ, datum_a: UInt64(mask), datum_b: UInt64(value))
}
