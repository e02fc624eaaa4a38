// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

public import AicoCore
import AicoWire

/// Describes one field of a type's config; `--describe` prints it.
public struct ConfigField: Sendable, Equatable {
    /// What a field's value may be.
    public enum Kind: String, Sendable, CaseIterable {
        /// A whole number.
        case integer
        /// Any number.
        case number
        /// A text.
        case string
        /// `true` or `false`.
        case boolean
        /// An array of texts.
        case stringList = "string_list"
        /// An object whose values are texts.
        case stringMap = "string_map"
    }

    /// The member's name in the config.
    public let name: String
    /// What its value may be.
    public let kind: Kind
    /// Whether a config without it is refused.
    public let isRequired: Bool
    /// The value of a config without it; nil where there is none.
    public let defaultValue: JSONValue?
    /// The smallest number.
    public let minimum: JSONValue?
    /// The largest number.
    public let maximum: JSONValue?
    /// The permitted texts; empty where any is.
    public let choices: [String]
    /// What its texts must be beyond their kind.
    public let rules: FieldRules
    /// The fields that cannot stand beside it.
    public let excludes: [String]
    /// What it is for, one sentence without a period.
    public let summary: String

    init(
        name: String, kind: Kind, isRequired: Bool, defaultValue: JSONValue?,
        minimum: JSONValue? = nil, maximum: JSONValue? = nil, choices: [String] = [],
        rules: FieldRules = .none, excludes: [String] = [], summary: String
    ) {
        self.name = name
        self.kind = kind
        self.isRequired = isRequired
        self.defaultValue = defaultValue
        self.minimum = minimum
        self.maximum = maximum
        self.choices = choices
        self.rules = rules
        self.excludes = excludes
        self.summary = summary
    }
}

extension ConfigField {
    /// The field as `--describe` prints it.
    var json: JSONValue {
        var members: [String: JSONValue] = [
            "name": .string(name), "type": .string(kind.rawValue),
            "required": .bool(isRequired), "summary": .string(summary),
        ]
        members["default"] = defaultValue
        members["minimum"] = minimum
        members["maximum"] = maximum
        if !choices.isEmpty { members["choices"] = .array(choices.map(JSONValue.string)) }
        if !excludes.isEmpty { members["excludes"] = .array(excludes.map(JSONValue.string)) }
        return .object(members.merging(rules.members) { $1 })
    }
}
