// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire

/// Reads named fields of a config with kind, default and range, and records what it was asked.
public struct ConfigReader {
    /// What was asked for so far.
    private(set) var fields: [ConfigField] = []
    /// nil while recording: then every read gives its default, or an empty value.
    private let members: [String: JSONValue]?

    init(_ value: JSONValue) throws(ConfigError) {
        guard let members = value.object else {
            throw ConfigError(field: "", reason: "must be an object")
        }
        self.members = members
    }

    private init() { members = nil }

    static func recording() -> ConfigReader { ConfigReader() }

    /// Refuses members that nothing asked for.
    func finish() throws(ConfigError) {
        guard let members else { return }
        let names = fields.map(\.name)
        func isGiven(_ name: String) -> Bool { members[name].map { !$0.isNull } ?? false }
        for field in fields where isGiven(field.name) {
            guard let other = field.excludes.first(where: isGiven) else { continue }
            throw ConfigError(
                field: field.name, reason: "cannot stand beside \"\(other)\"; leave one out")
        }
        guard let unknown = members.keys.filter({ !names.contains($0) }).min() else { return }
        let hint = NearestWord.find(unknown, in: names).map { "; did you mean \"\($0)\"?" }
        let known = names.isEmpty ? "there are none" : "there are " + names.joined(separator: ", ")
        throw ConfigError(field: unknown, reason: "unknown field" + (hint ?? "; \(known)"))
    }

    /// Declares a field and gives the config's value of it, converted; nil where it is left out.
    mutating func read<Value>(
        _ field: ConfigField, _ convert: (JSONValue) -> Value?
    ) throws(ConfigError) -> Value? {
        fields.append(field)
        guard let members else { return field.defaultValue.flatMap(convert) }
        guard let value = members[field.name], !value.isNull else {
            guard !field.isRequired else {
                throw ConfigError(field: field.name, reason: "missing; \(field.expectation)")
            }
            return field.defaultValue.flatMap(convert)
        }
        guard let converted = convert(value) else {
            throw ConfigError(field: field.name, reason: field.expectation)
        }
        do {
            try field.rules.check(value)
        } catch {
            throw ConfigError(field: field.name, reason: "\(error.reason); \(error.hint)")
        }
        return converted
    }
}

extension ConfigField {
    /// What a value must be, in words.
    var expectation: String {
        let kind =
            switch kind {
            case .integer: "a whole number"
            case .number: "a number"
            case .string: "a text"
            case .boolean: "true or false"
            case .stringList: "a list of texts"
            case .stringMap: "an object of texts"
            }
        if !choices.isEmpty { return "must be one of " + choices.joined(separator: ", ") }
        let bounds = RangeText.bounds(from: minimum, to: maximum)
        return "must be \(kind)" + (bounds.map { " of \($0)" } ?? "")
    }
}
