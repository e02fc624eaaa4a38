// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import StrictYAML

/// One mapping of the merged settings, read by key.
struct SettingsSection {
    let name: String
    let value: YAMLValue
    private let entries: [String: YAMLValue]

    init(_ value: YAMLValue, name: String) throws(YAMLFailure) {
        self.value = value
        self.name = name
        entries = Dictionary(
            try value.entries(name).map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
    }

    var keys: [String] { entries.keys.sorted() }

    /// The value of a key that may be absent.
    func optional(_ key: String) -> YAMLValue? { entries[key] }

    subscript(_ key: String) -> YAMLValue {
        get throws(YAMLFailure) {
            guard let found = entries[key] else { throw value.failure("key '\(key)' is missing") }
            return found
        }
    }

    func section(_ key: String) throws(YAMLFailure) -> SettingsSection {
        try SettingsSection(self[key], name: name.isEmpty ? key : "\(name).\(key)")
    }

    func bool(_ key: String) throws(YAMLFailure) -> Bool { try self[key].bool(key) }

    func string(_ key: String) throws(YAMLFailure) -> String { try self[key].string(key) }

    func integer(_ key: String, _ range: ClosedRange<Int>) throws(YAMLFailure) -> Int {
        try self[key].integer(key, in: range)
    }

    func number(_ key: String, _ range: ClosedRange<Double>) throws(YAMLFailure) -> Double {
        try self[key].number(key, in: range)
    }

    /// Reads seconds, with or without a fraction.
    func seconds(_ key: String, _ range: ClosedRange<Double>) throws(YAMLFailure) -> Duration {
        .microseconds(Int64(try number(key, range) * 1_000_000))
    }

    /// Finds a case by its raw value.
    func choice<Choice: CaseIterable & RawRepresentable<String>>(
        _ key: String, as _: Choice.Type
    ) throws(YAMLFailure) -> Choice {
        let text = try string(key)
        if let choice = Choice(rawValue: text) { return choice }
        let names = Choice.allCases.map(\.rawValue)
        throw try self[key].failure(
            "'\(key)' must be one of \(names.joined(separator: ", ")), not '\(text.prefix(40))'",
            nearest: nearestWord(to: text, among: names))
    }
}
