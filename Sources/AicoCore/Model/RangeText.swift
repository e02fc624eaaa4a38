// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Numbers and their bounds as messages show them.
///
/// The one place that writes them, so that no bound reads as `1.0` where people write `1`.
package enum RangeText {
    /// A number without a fraction where it has none: `5`, `0.1`.
    package static func number(_ value: Double) -> String {
        Int(exactly: value).map(String.init) ?? "\(value)"
    }

    /// Both bounds: `1 to 10`.
    package static func bounds(_ range: ClosedRange<Int>) -> String {
        "\(range.lowerBound) to \(range.upperBound)"
    }

    /// Both bounds: `0.1 to 604800`.
    package static func bounds(_ range: ClosedRange<Double>) -> String {
        "\(number(range.lowerBound)) to \(number(range.upperBound))"
    }

    /// What there is of two bounds: `0 to 1`, `at least 0`, `at most 1`; nil for none.
    package static func bounds(from low: JSONValue?, to high: JSONValue?) -> String? {
        switch (low.map(text), high.map(text)) {
        case (let low?, let high?): "\(low) to \(high)"
        case (let low?, nil): "at least \(low)"
        case (nil, let high?): "at most \(high)"
        case (nil, nil): nil
        }
    }

    private static func text(_ value: JSONValue) -> String {
        // A whole number may have more digits than a double keeps.
        if case .int(let whole) = value { return String(whole) }
        return value.double.map(number) ?? value.text()
    }
}
