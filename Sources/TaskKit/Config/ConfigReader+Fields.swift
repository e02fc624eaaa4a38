// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

public import AicoCore
import AicoWire

extension ConfigReader {
    /// Reads a whole number; required where there is no default.
    public mutating func integer(
        _ name: String, default value: Int? = nil, in range: ClosedRange<Int> = .min ... .max,
        _ summary: String
    ) throws(ConfigError) -> Int {
        let field = ConfigField(
            name: name, kind: .integer, isRequired: value == nil,
            defaultValue: value.map(JSONValue.int),
            minimum: range.lowerBound == .min ? nil : .int(range.lowerBound),
            maximum: range.upperBound == .max ? nil : .int(range.upperBound),
            summary: summary)
        return try read(field) { $0.int.flatMap { range.contains($0) ? $0 : nil } } ?? 0
    }

    /// Reads a number; required where there is no default.
    public mutating func number(
        _ name: String, default value: Double? = nil, in range: ClosedRange<Double>? = nil,
        _ summary: String
    ) throws(ConfigError) -> Double {
        let field = ConfigField(
            name: name, kind: .number, isRequired: value == nil,
            defaultValue: value.map(JSONValue.double),
            minimum: (range?.lowerBound).map(JSONValue.double),
            maximum: (range?.upperBound).map(JSONValue.double), summary: summary)
        return try read(field) { value in
            value.double.flatMap { range?.contains($0) != false ? $0 : nil }
        } ?? 0
    }

    /// Reads a number of seconds; required where there is no default.
    public mutating func seconds(
        _ name: String, default value: Double? = nil,
        in range: ClosedRange<Double> = 0...31_622_400, _ summary: String
    ) throws(ConfigError) -> Duration {
        .seconds(try number(name, default: value, in: range, summary))
    }

    /// Reads a text; required where there is no default. `choices` are the permitted texts.
    public mutating func string(
        _ name: String, default value: String? = nil, choices: [String] = [],
        rules: FieldRules = .none, _ summary: String
    ) throws(ConfigError) -> String {
        let field = ConfigField(
            name: name, kind: .string, isRequired: value == nil,
            defaultValue: value.map(JSONValue.string), choices: choices, rules: rules,
            summary: summary)
        return try read(field) { Self.text($0, choices) } ?? ""
    }

    /// Reads a text that may be left out; `excludes` are fields that cannot stand beside it.
    public mutating func optionalString(
        _ name: String, choices: [String] = [], rules: FieldRules = .none,
        excludes: [String] = [], _ summary: String
    ) throws(ConfigError) -> String? {
        let field = ConfigField(
            name: name, kind: .string, isRequired: false, defaultValue: nil, choices: choices,
            rules: rules, excludes: excludes, summary: summary)
        return try read(field) { Self.text($0, choices) }
    }

    /// Reads a truth value; required where there is no default.
    public mutating func boolean(
        _ name: String, default value: Bool? = nil, _ summary: String
    ) throws(ConfigError) -> Bool {
        let field = ConfigField(
            name: name, kind: .boolean, isRequired: value == nil,
            defaultValue: value.map(JSONValue.bool), summary: summary)
        return try read(field) { $0.bool } ?? false
    }

    /// Reads a list of texts; required where there is no default.
    public mutating func stringList(
        _ name: String, default value: [String]? = nil, rules: FieldRules = .none,
        _ summary: String
    ) throws(ConfigError) -> [String] {
        let field = ConfigField(
            name: name, kind: .stringList, isRequired: value == nil,
            defaultValue: value.map { .array($0.map(JSONValue.string)) }, rules: rules,
            summary: summary)
        return try read(field) { value in
            guard let elements = value.array else { return nil }
            let texts = elements.compactMap(\.string)
            return texts.count == elements.count ? texts : nil
        } ?? []
    }

    /// Reads an object of texts; required where there is no default.
    public mutating func stringMap(
        _ name: String, default value: [String: String]? = nil, rules: FieldRules = .none,
        _ summary: String
    ) throws(ConfigError) -> [String: String] {
        let field = ConfigField(
            name: name, kind: .stringMap, isRequired: value == nil,
            defaultValue: value.map { .object($0.mapValues(JSONValue.string)) }, rules: rules,
            summary: summary)
        return try read(field) { value in
            guard let members = value.object else { return nil }
            let texts = members.compactMapValues(\.string)
            return texts.count == members.count ? texts : nil
        } ?? [:]
    }

    private static func text(_ value: JSONValue, _ choices: [String]) -> String? {
        guard let text = value.string, choices.isEmpty || choices.contains(text) else { return nil }
        return text
    }
}
