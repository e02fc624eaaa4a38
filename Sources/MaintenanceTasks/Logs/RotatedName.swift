// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Tells by its name whether a log file was put aside and a new one begun.
enum RotatedName {
    /// `x.log.1`, `x.log.2.gz`, `x.log-20250115`, `x-2025-01-15.log`, `x.log.old`, `x.log.gz`.
    ///
    /// `x.log` is being written, and so may be everything else.
    static func isRotated(_ name: String) -> Bool {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count >= 2, !parts[0].isEmpty else { return false }
        var rest = parts
        let isCompressed = compressions.contains(rest.last ?? "")
        if isCompressed { rest.removeLast() }
        guard rest.count >= 2, let last = rest.last else { return false }
        if last == "log" { return isCompressed || hasDate(rest.dropLast().joined(separator: ".")) }
        if last.hasPrefix("log-") { return isStamp(last.dropFirst(4)) }
        guard rest.count >= 3, rest[rest.count - 2] == "log" else { return false }
        return last == "old" || isStamp(last[...])
    }

    private static let compressions: Set<String> = ["gz", "xz", "zst", "bz2"]

    /// A number, a date, or date and time: `3`, `20250115`, `2025-01-15T03:00:00Z`.
    private static func isStamp(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, (0x30...0x39).contains(first), text.utf8.count <= 32
        else { return false }
        return text.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || "-:T_Z".utf8.contains(byte)
        }
    }

    /// Whether a name ends in a date: `x-20250115`, `x.2025-01-15`.
    private static func hasDate(_ stem: String) -> Bool {
        for length in [8, 10] {
            let date = stem.suffix(length)
            let before = stem.dropLast(length).last
            guard date.count == length, before == "-" || before == "." || before == "_" else {
                continue
            }
            let digits = date.split(separator: "-", omittingEmptySubsequences: false)
            let isDate =
                length == 8 ? digits.map(\.count) == [8] : digits.map(\.count) == [4, 2, 2]
            if isDate, digits.joined().allSatisfy({ $0.isASCII && $0.isNumber }) { return true }
        }
        return false
    }
}
