// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CSeccomp
import Glibc

/// The system calls that this machine's libseccomp knows for the native architecture.
struct SyscallTable: Sendable {
    /// One call's number here.
    enum Lookup: Equatable {
        case number(CInt)
        /// Known to libseccomp, but not a call of this architecture.
        case elsewhere
        case unknown
    }

    /// Names by number.
    let names: [CInt: String]
    /// The highest known number; what lies above is answered with ENOSYS.
    let newest: CInt
    /// Runs of numbers up to `newest` that name nothing.
    let holes: [ClosedRange<UInt32>]

    /// The native architecture's table.
    static let native = SyscallTable()

    private init() {
        var names: [CInt: String] = [:]
        let architecture = seccomp_arch_native()
        for number: CInt in 0..<1024 {
            guard let name = seccomp_syscall_resolve_num_arch(architecture, number) else {
                continue
            }
            names[number] = String(cString: name)
            free(name)
        }
        let newest = names.keys.max() ?? 0
        var holes: [ClosedRange<UInt32>] = []
        for number in 0...newest where names[number] == nil {
            let value = UInt32(number)
            if let last = holes.last, last.upperBound + 1 == value {
                holes[holes.count - 1] = last.lowerBound...value
            } else {
                holes.append(value...value)
            }
        }
        self.names = names
        self.newest = newest
        self.holes = holes
    }

    /// Finds a call by name.
    func lookup(_ name: String) -> Lookup {
        let number = seccomp_syscall_resolve_name_arch(seccomp_arch_native(), name)
        if number >= 0 { return .number(number) }
        return number == __NR_SCMP_ERROR ? .unknown : .elsewhere
    }
}
