// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// The content of a cgroup control file: one number, words, or lines of key and number.
struct ControlText: Equatable {
    /// The bytes as read.
    var bytes: [UInt8]

    /// The whole content as one number; nil for anything else, `max` included.
    var number: UInt64? {
        var scan = bytes[...]
        while scan.last == 0x0A { scan.removeLast() }
        return Self.number(scan)
    }

    /// The number in the line that begins with a key and a space.
    func value(of key: String) -> UInt64? {
        for line in bytes.split(separator: 0x0A) {
            let words = line.split(separator: 0x20, maxSplits: 1)
            if words.count == 2, words[0].elementsEqual(key.utf8) { return Self.number(words[1]) }
        }
        return nil
    }

    /// Whether a word is among those separated by white space.
    func contains(word: String) -> Bool {
        bytes.split { $0 == 0x20 || $0 == 0x0A }.contains { $0.elementsEqual(word.utf8) }
    }

    /// Every line that is a number, as in cgroup.procs.
    var numbers: [UInt64] { bytes.split(separator: 0x0A).compactMap(Self.number) }

    private static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
        guard !digits.isEmpty else { return nil }
        var result: UInt64 = 0
        for digit in digits {
            guard digit >= 0x30, digit <= 0x39 else { return nil }
            let (scaled, tooBig) = result.multipliedReportingOverflow(by: 10)
            let (sum, over) = scaled.addingReportingOverflow(UInt64(digit - 0x30))
            if tooBig || over { return nil }
            result = sum
        }
        return result
    }
}
