// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Glibc

/// What was measured, with what was to be reached.
struct BenchReport {
    struct Line {
        var name: String
        var value: Double
        var unit: String
        var goal: String
        /// Nil where there is no goal.
        var isReached: Bool?
    }

    private(set) var lines: [Line] = []

    mutating func add(_ name: String, _ value: Double, _ unit: String) {
        lines.append(Line(name: name, value: value, unit: unit, goal: "", isReached: nil))
    }

    mutating func add(_ name: String, _ value: Double, _ unit: String, atMost goal: Double) {
        lines.append(
            Line(
                name: name, value: value, unit: unit, goal: "<= \(Self.number(goal))",
                isReached: value <= goal))
    }

    mutating func add(_ name: String, _ value: Double, _ unit: String, atLeast goal: Double) {
        lines.append(
            Line(
                name: name, value: value, unit: unit, goal: ">= \(Self.number(goal))",
                isReached: value >= goal))
    }

    func table() -> String {
        let rows =
            [["measure", "value", "unit", "goal", ""]]
            + lines.map {
                [
                    $0.name, Self.number($0.value), $0.unit, $0.goal,
                    $0.isReached.map { $0 ? "reached" : "MISSED" } ?? "",
                ]
            }
        let widths = (0..<5).map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            zip(row, widths).enumerated().map { index, cell in
                let pad = String(repeating: " ", count: cell.1 - cell.0.count)
                return index == 1 ? pad + cell.0 : cell.0 + pad
            }.joined(separator: "  ")
        }.joined(separator: "\n")
    }

    func writeJSON(to path: String) throws {
        let document: JSONValue = .object([
            "measures": .array(
                lines.map {
                    .object([
                        "name": .string($0.name), "value": .double($0.value),
                        "unit": .string($0.unit), "goal": .string($0.goal),
                        "reached": $0.isReached.map { .bool($0) } ?? .null,
                    ])
                })
        ])
        guard let file = fopen(path, "w") else { throw BenchError("cannot write '\(path)'") }
        fputs(document.text(indented: true) + "\n", file)
        fclose(file)
    }

    /// Three significant digits, without an exponent.
    static func number(_ value: Double) -> String {
        if value.magnitude >= 1000 { return String(Int(value.rounded())) }
        let digits = value.magnitude >= 100 ? 0 : value.magnitude >= 10 ? 1 : 3
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let rounded = (value * scale).rounded() / scale
        return digits == 0 ? String(Int(rounded)) : String(rounded)
    }
}

/// Values of one measure.
struct Samples {
    var values: [Double] = []

    /// The value below which `fraction` of them lie.
    func percentile(_ fraction: Double) -> Double {
        let sorted = values.sorted()
        guard !sorted.isEmpty else { return .nan }
        return sorted[min(sorted.count - 1, Int(Double(sorted.count) * fraction))]
    }

    var median: Double { percentile(0.5) }
}

/// Milliseconds that a call takes.
func milliseconds(_ body: () throws -> Void) rethrows -> Double {
    let clock = ContinuousClock()
    let start = clock.now
    try body()
    return (clock.now - start) / .milliseconds(1)
}
