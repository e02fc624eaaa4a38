// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Spans of time as people type them: `90`, `1.5h`, `1h30m`, `7d`.
enum TypedSpan {
    /// How far back `--since` may look: ten years of 365 days, in seconds.
    static let longestPast = 10 * 365 * 86400.0

    private static let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86400]

    /// Reads seconds, or numbers with units, the largest first; one that begins with a dash is
    /// negative. Nil where it is neither.
    static func seconds(_ text: String) -> Double? {
        guard let first = text.first else { return nil }
        guard first != "-" else {
            let rest = text.dropFirst()
            return rest.first == "-" ? nil : seconds(String(rest)).map { -$0 }
        }
        if let number = number(Substring(text)) { return number }
        var sum = 0.0
        var last = Double.infinity
        var rest = Substring(text)
        while !rest.isEmpty {
            let digits = rest.prefix { "0123456789.".contains($0) }
            rest = rest[digits.endIndex...]
            guard let number = number(digits), let unit = rest.popFirst().flatMap({ units[$0] }),
                unit < last
            else { return nil }
            sum += number * unit
            last = unit
        }
        return sum.isFinite ? sum : nil
    }

    /// A number of digits with at most one point among them.
    private static func number(_ digits: Substring) -> Double? {
        guard let first = digits.first, let last = digits.last, first != ".", last != ".",
            digits.allSatisfy({ "0123456789.".contains($0) }), let number = Double(digits),
            number.isFinite
        else { return nil }
        return number
    }
}
