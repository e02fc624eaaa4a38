// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

internal import CLibcap
internal import Glibc

/// Capabilities of the kernel (capabilities(7)), as libcap names and reads them.
///
/// For programs without privilege, and for what a test compares with: between fork and exec the
/// calls are made raw (docs/decisions/0003).
package struct CapabilitySet: OptionSet, Sendable, Hashable {
    /// `1 << CAP_X` for each.
    package let rawValue: UInt64

    package init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Reads any file and lists any directory.
    package static let dacReadSearch = CapabilitySet(rawValue: 1 << UInt64(CAP_DAC_READ_SEARCH))

    /// All that this kernel knows.
    package static var all: CapabilitySet {
        CapabilitySet(rawValue: (0..<UInt64(cap_max_bits())).reduce(0) { $0 | 1 << $1 })
    }

    /// The capability of a name as profiles have it: `DAC_READ_SEARCH`. nil where libcap knows none
    /// of it.
    package init?(name: String) {
        var value = cap_value_t()
        guard name == name.uppercased(), !name.hasPrefix("CAP_"),
            cap_from_name("cap_\(name.lowercased())", &value) == 0
        else { return nil }
        rawValue = 1 << UInt64(value)
    }

    /// What a process holds now (its permitted set); nil where there is none of this id, or it may
    /// not be asked.
    package init?(ofProcess processID: Int32) {
        guard processID > 0, let state = cap_get_pid(processID) else { return nil }
        defer { cap_free(UnsafeMutableRawPointer(state)) }
        var bits: UInt64 = 0
        for value in 0..<cap_max_bits() {
            var flag = CAP_CLEAR
            guard cap_get_flag(state, value, CAP_PERMITTED, &flag) == 0 else { continue }
            if flag == CAP_SET { bits |= 1 << UInt64(value) }
        }
        rawValue = bits
    }

    /// The names in it, by their numbers: `DAC_READ_SEARCH`.
    package var names: [String] {
        (0..<64).filter { rawValue & 1 << UInt64($0) != 0 }.map { value in
            guard let text = cap_to_name(cap_value_t(value)) else { return "\(value)" }
            defer { cap_free(text) }
            // A number stands for what libcap has no name of.
            let name = String(cString: text)
            return name.hasPrefix("cap_") ? name.dropFirst(4).uppercased() : name
        }
    }
}
