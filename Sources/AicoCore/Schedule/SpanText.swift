// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// A whole span of time as people write it: `300`, `5m`, and, to be understood only, `1h30m`.
struct SpanText {
    /// The span.
    let seconds: Int64
    /// Whether it is one number with at most one unit.
    let isSimple: Bool
    private let text: Substring

    private static let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86400]

    /// Reads a span; nil where a part is no number of at most nine digits with a known unit.
    init?(_ text: Substring) {
        var parts = 0
        var seconds: Int64 = 0
        var rest = text
        while !rest.isEmpty {
            let digits = rest.prefix { ("0"..."9").contains($0) }
            guard let count = CronFieldParser.number(digits), parts < 4 else { return nil }
            rest = rest[digits.endIndex...]
            // Only a number that stands alone may leave its unit out.
            guard let unit = rest.popFirst().map({ Self.units[$0] }) ?? (parts == 0 ? 1 : nil)
            else { return nil }
            seconds += Int64(count) * unit
            parts += 1
        }
        guard parts > 0 else { return nil }
        self.text = text
        self.seconds = seconds
        isSimple = parts == 1
    }

    /// The schedule that fires after each such span.
    var interval: String { isSimple ? "interval:\(text)" : "interval:\(seconds)" }
}
