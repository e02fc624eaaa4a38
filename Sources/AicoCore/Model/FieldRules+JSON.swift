// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

extension FieldRules {
    /// The rules as members of a field in `--describe`; one that permits everything has none.
    package var members: [String: JSONValue] {
        var members: [String: JSONValue] = [:]
        members["minimum_count"] = minimumCount.map(JSONValue.int)
        members["maximum_count"] = maximumCount.map(JSONValue.int)
        members["reserved_prefix"] = reservedPrefix.map(JSONValue.string)
        for (name, flag) in Self.flags where self[keyPath: flag] { members[name] = true }
        return members
    }

    /// The names of all members.
    package static var memberNames: [String] {
        ["minimum_count", "maximum_count", "reserved_prefix"] + flags.map(\.name)
    }

    /// Reads the members of a field's description, others are not looked at.
    ///
    /// - Throws: the name of a member that is not of its kind.
    package init(members: [String: JSONValue]) throws(WrongMember) {
        minimumCount = try Self.read("minimum_count", of: members) { $0.int }
        maximumCount = try Self.read("maximum_count", of: members) { $0.int }
        reservedPrefix = try Self.read("reserved_prefix", of: members) { $0.string }
        for (name, flag) in Self.flags {
            self[keyPath: flag] = try Self.read(name, of: members) { $0.bool } ?? false
        }
    }

    /// A member that is not of its kind.
    package struct WrongMember: Error, Sendable, Hashable {
        /// Its name.
        package let name: String
    }

    private static var flags: [(name: String, flag: WritableKeyPath<FieldRules, Bool>)] {
        [
            ("nonempty_first", \.isFirstNonempty), ("no_zero_byte", \.isWithoutZero),
            ("variable_names", \.hasVariableNames), ("absolute_path", \.isAbsolutePath),
            ("base64", \.isBase64),
        ]
    }

    private static func read<Value>(
        _ name: String, of members: [String: JSONValue], _ convert: (JSONValue) -> Value?
    ) throws(WrongMember) -> Value? {
        guard let value = members[name], !value.isNull else { return nil }
        guard let converted = convert(value) else { throw WrongMember(name: name) }
        return converted
    }
}
