// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// One parameter of `TaskPolicies`: its name, what it may be, and the field that it stands for.
///
/// The bus's reading and writing, the options of the command line, what `--unset` takes and the
/// documents are derived from `all`, or held against it by a test.
package struct PolicyParameter: Sendable {
    /// What its values are.
    package enum Kind: Sendable, Equatable {
        /// Seconds, in a range.
        case span(ClosedRange<Double>)
        case integer(ClosedRange<Int>)
        case number(ClosedRange<Double>)
        case flag
        /// One of these words.
        case word([String])
    }

    /// The name on the bus; that of a part is `group.part`, such as `retry.delay`.
    package let name: String
    /// The option of the command line, without its dashes.
    package let option: String
    /// What its values are, and their range.
    package let kind: Kind
    /// A sentence for `--help`.
    package let help: String
    /// The value that policies have; null where they have none.
    package let value: @Sendable (TaskPolicies) -> JSONValue
    private let assign: @Sendable (inout TaskPolicies, JSONValue) -> Void

    /// The object that it is a part of; nil where it is a member of the policies themselves.
    package var group: String? {
        name.firstIndex(of: ".").map { String(name[..<$0]) }
    }

    /// Its name in the object that it is a member of.
    package var key: String {
        name.firstIndex(of: ".").map { String(name[name.index(after: $0)...]) } ?? name
    }

    /// What a value must be, for a refusal: `seconds from 0 to 600`.
    package var expected: String {
        switch kind {
        case .span(let range): "seconds from \(RangeText.bounds(range))"
        case .integer(let range): "an integer from \(RangeText.bounds(range))"
        case .number(let range): "a number from \(RangeText.bounds(range))"
        case .flag: "true or false"
        case .word(let words): "one of \(words.joined(separator: ", "))"
        }
    }

    /// Sets the field; false, and nothing is set, where the value is of another type or out of range.
    package func set(_ json: JSONValue, in policies: inout TaskPolicies) -> Bool {
        guard accepts(json) else { return false }
        assign(&policies, json)
        return true
    }

    /// Whether a value is of its type and in its range.
    package func accepts(_ json: JSONValue) -> Bool {
        switch kind {
        case .span(let range), .number(let range): json.double.map(range.contains) ?? false
        case .integer(let range): json.int.map(range.contains) ?? false
        case .flag: json.bool != nil
        case .word(let words): json.string.map(words.contains) ?? false
        }
    }

    /// The value in range that lies nearest to a number, as it is typed.
    package func nearest(to number: Double) -> String {
        let number = number.isNaN ? 0 : number
        return switch kind {
        case .span(let range), .number(let range):
            RangeText.number(min(max(number, range.lowerBound), range.upperBound))
        case .integer(let range):
            "\(Int(min(max(number, Double(range.lowerBound)), Double(range.upperBound))))"
        case .flag: "true"
        case .word(let words): words.first ?? ""
        }
    }
}

extension PolicyParameter {
    /// Every parameter, in the order in which `--help` shows them.
    package static let all: [PolicyParameter] = [
        PolicyParameter(
            name: "timeout", option: "timeout", kind: .span(0.1...(7 * day)),
            help: "The longest an attempt may take, as 90, 5m or 1h.",
            value: { $0.timeout.map { .seconds($0) } ?? .null },
            assign: { $0.timeout = duration($1) }),
        span("grace", \.grace, 0...300, "Time between TERM and KILL."),
        PolicyParameter(
            name: "retry.count", option: "retries", kind: .integer(0...100),
            help: "How often a transient failure is tried again.",
            value: { .int($0.retry.count) }, assign: { $0.retry.count = $1.int ?? 0 }),
        span("retry.delay", \.retry.delay, 0...day, "Time before the first retry."),
        span(
            "retry.max_delay", \.retry.maximumDelay, 0...(31 * day),
            "The longest time before a retry."),
        PolicyParameter(
            name: "retry.factor", option: "retry-factor", kind: .number(1...10),
            help: "What each further delay is multiplied with.",
            value: { .double($0.retry.factor) }, assign: { $0.retry.factor = $1.double ?? 1 }),
        span(
            "retry.jitter", \.retry.jitter, 0...day,
            "Spread retries of what failed together over this span."),
        word("misfire", \.misfire, "When due while down"),
        span(
            "catchup_window", \.catchUpWindow, 0...(366 * day),
            "How late a missed run is still made up for."),
        word("overlap", \.overlap, "When due while running"),
        span("jitter", \.jitter, 0...day, "Spread starts over this span."),
        PolicyParameter(
            name: "priority", option: "priority", kind: .integer(-100...100),
            help: "Higher runs first.",
            value: { .int($0.priority) }, assign: { $0.priority = $1.int ?? 0 }),
        PolicyParameter(
            name: "idle_only", option: "idle-only", kind: .flag,
            help: "Run only while the machine is idle.",
            value: { .bool($0.idleOnly) }, assign: { $0.idleOnly = $1.bool ?? false }),
        span(
            "max_defer", \.maximumDefer, 0...(31 * day), "The longest a start may be put off."),
        word("on_crash", \.onCrash, "After a crash under it"),
        word("dst.gap", \.dst.gap, "In the hour clocks skip"),
        word("dst.overlap", \.dst.overlap, "In the hour clocks repeat"),
    ]

    /// The members of the policies' object: those without parts, and the groups.
    package static let members: [String] = all.reduce(into: []) { names, parameter in
        let name = parameter.group ?? parameter.name
        if !names.contains(name) { names.append(name) }
    }

    /// The parts of a group; empty where the name is none.
    package static func parts(of group: String) -> [PolicyParameter] {
        all.filter { $0.group == group }
    }

    private static let day = 86400.0

    private static func span(
        _ name: String, _ field: any WritableKeyPath<TaskPolicies, Duration> & Sendable,
        _ range: ClosedRange<Double>, _ help: String
    ) -> PolicyParameter {
        PolicyParameter(
            name: name, option: optionName(name), kind: .span(range), help: help,
            value: { .seconds($0[keyPath: field]) },
            assign: { $0[keyPath: field] = duration($1) ?? .zero })
    }

    private static func word<Word: RawRepresentable<String> & CaseIterable & Sendable>(
        _ name: String, _ field: any WritableKeyPath<TaskPolicies, Word> & Sendable, _ help: String
    ) -> PolicyParameter {
        let words = Word.allCases.map(\.rawValue)
        let last = words.last.map { " or \($0)" } ?? ""
        return PolicyParameter(
            name: name, option: optionName(name), kind: .word(words),
            help: "\(help): \(words.dropLast().joined(separator: ", "))\(last).",
            value: { .string($0[keyPath: field].rawValue) },
            assign: { policies, json in
                if let word = json.string.flatMap(Word.init(rawValue:)) {
                    policies[keyPath: field] = word
                }
            })
    }

    private static func optionName(_ name: String) -> String {
        String(name.map { $0 == "." || $0 == "_" ? "-" : $0 })
    }

    private static func duration(_ json: JSONValue) -> Duration? {
        json.double.map { .microseconds(Int64($0 * 1_000_000)) }
    }
}
