// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire

/// Reads the members of a JSON object strictly: unknown keys and wrong types are refused.
struct ObjectReader {
    let members: [String: JSONValue]
    let subject: String

    /// `subject` names the object in refusals, as `"policies"`; empty for a request's body.
    init(_ value: JSONValue, subject: String = "", keys: [String]) throws(BusRefusal) {
        self.subject = subject
        guard let members = value.object else {
            throw BusRefusal(
                code: .invalid, message: "\"\(subject)\" must be an object",
                hint: "write it as {\"\(keys.first ?? "NAME")\": VALUE}")
        }
        self.members = members
        for key in members.keys.sorted() where !keys.contains(key) {
            let place = subject.isEmpty ? "" : " in \"\(subject)\""
            let hint =
                NearestWord.find(key, in: keys).map { "did you mean \"\($0)\"?" }
                ?? "known are \(keys.sorted().joined(separator: ", "))"
            throw BusRefusal(
                code: .invalid, message: "unknown member \"\(key.prefix(64))\"\(place)", hint: hint)
        }
    }

    /// The member; nil where it is missing or null.
    func value(_ key: String) -> JSONValue? {
        guard let value = members[key], !value.isNull else { return nil }
        return value
    }

    func string(_ key: String) throws(BusRefusal) -> String? {
        guard let value = value(key) else { return nil }
        guard let text = value.string else { throw wrong(key, "a string") }
        return text
    }

    func requiredString(_ key: String) throws(BusRefusal) -> String {
        guard let text = try string(key) else {
            throw BusRefusal(
                code: .invalid, message: "\"\(name(key))\" is missing", hint: "name the \(key)")
        }
        return text
    }

    func bool(_ key: String) throws(BusRefusal) -> Bool? {
        guard let value = value(key) else { return nil }
        guard let flag = value.bool else { throw wrong(key, "true or false") }
        return flag
    }

    func int(_ key: String, in range: ClosedRange<Int>) throws(BusRefusal) -> Int? {
        guard let value = value(key) else { return nil }
        guard let number = value.int, range.contains(number) else {
            throw wrong(key, "an integer from \(RangeText.bounds(range))")
        }
        return number
    }

    func seconds(_ key: String, in range: ClosedRange<Double>) throws(BusRefusal) -> Duration? {
        guard let value = value(key) else { return nil }
        guard let number = value.double, range.contains(number) else {
            throw wrong(key, "seconds from \(RangeText.bounds(range))")
        }
        return .microseconds(Int64(number * 1_000_000))
    }

    func instant(_ key: String) throws(BusRefusal) -> Instant? {
        guard let value = value(key) else { return nil }
        guard let text = value.string, let instant = Instant(iso8601: text) else {
            throw wrong(key, "an instant such as 2025-01-15T10:00:00Z")
        }
        return instant
    }

    func choice<Choice: RawRepresentable & CaseIterable>(
        _ key: String, of _: Choice.Type
    ) throws(BusRefusal) -> Choice? where Choice.RawValue == String {
        guard let value = value(key) else { return nil }
        guard let text = value.string, let choice = Choice(rawValue: text) else {
            let names = Choice.allCases.map(\.rawValue)
            throw wrong(key, "one of \(names.joined(separator: ", "))")
        }
        return choice
    }

    func taskID(_ key: String) throws(BusRefusal) -> TaskID? {
        guard let text = try string(key) else { return nil }
        do {
            return try TaskID(text)
        } catch {
            throw BusRefusal(code: .invalid, message: error.description)
        }
    }

    private func name(_ key: String) -> String { subject.isEmpty ? key : "\(subject).\(key)" }

    /// The refusal of a member that is not what it must be.
    func wrong(_ key: String, _ expected: String) -> BusRefusal {
        BusRefusal(code: .invalid, message: "\"\(name(key))\" must be \(expected)")
    }
}
