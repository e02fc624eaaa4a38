// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// The Linux capabilities that a type can ask for (capabilities(7)).
public enum TaskCapability: UInt8, Sendable, CaseIterable {
    /// Reads files and directories whatever their mode (`CAP_DAC_READ_SEARCH`).
    case readAnything = 2

    /// The name used in profiles and by `--describe`.
    public var name: String {
        switch self {
        case .readAnything: "DAC_READ_SEARCH"
        }
    }

    /// The kernel's bit.
    var bit: UInt64 { 1 << UInt64(rawValue) }
}
