// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// The operations of classic BPF that filters are made of: <linux/bpf_common.h>.
enum FilterCode: UInt16 {
    case loadWord = 0x20
    case and = 0x54
    case jump = 0x05
    case jumpEqual = 0x15
    case jumpGreater = 0x25
    case jumpAtLeast = 0x35
    case jumpSet = 0x45
    case leave = 0x06
}

/// Where the words of struct seccomp_data lie.
enum FilterWord {
    static let number: UInt32 = 0
    static let architecture: UInt32 = 4
    /// Two words for each of six arguments; on a little-endian machine the low one comes first.
    static let arguments: Range<UInt32> = 16..<64
}
