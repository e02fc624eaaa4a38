// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire

/// A type of task as its worker describes it.
struct TaskType: Equatable {
    /// What a config field holds.
    enum Kind: String, CaseIterable {
        case integer
        case number
        case string
        case boolean
        case stringList = "string_list"
        case stringMap = "string_map"
    }

    /// One field of a config.
    struct Field: Equatable {
        let name: String
        let kind: Kind
        let isRequired: Bool
        let minimum: JSONValue?
        let maximum: JSONValue?
        /// The permitted texts; empty where any is.
        let choices: [String]
        /// What its texts must be beyond their kind.
        let rules: FieldRules
        /// The fields that cannot stand beside it.
        let excludes: [String]
    }

    let id: TaskID
    let summary: String
    /// The longest an attempt takes where the task does not say.
    let timeout: Duration?
    let fields: [Field]

    /// Reads one element of a description's `types`.
    init(json: JSONValue) throws(BusRefusal) {
        let reader = try ObjectReader(
            json, subject: "type", keys: ["id", "summary", "capabilities", "timeout", "config"])
        guard let id = try reader.taskID("id") else {
            throw BusRefusal(code: .invalid, message: "a type has no id")
        }
        self.id = id
        summary = String((try reader.string("summary") ?? "").prefix(200))
        timeout = try reader.seconds("timeout", in: 0.1...(7 * 86400))
        let list = reader.value("config")?.array ?? []
        guard list.count <= 64 else {
            throw BusRefusal(code: .invalid, message: "type \(id) has more than 64 fields")
        }
        var fields: [Field] = []
        for element in list { fields.append(try Field(json: element)) }
        self.fields = fields
    }

    /// Checks a config against the fields.
    func check(_ config: JSONValue) throws(BusRefusal) {
        let reader = try ObjectReader(config, subject: "config", keys: fields.map(\.name))
        for field in fields {
            guard let value = reader.value(field.name) else {
                guard field.isRequired else { continue }
                throw BusRefusal(
                    code: .invalid, message: "\"config.\(field.name)\" is missing",
                    hint: "\(id) needs it")
            }
            try field.check(value)
            if let other = field.excludes.first(where: { reader.value($0) != nil }) {
                throw BusRefusal(
                    code: .invalid,
                    message: "\"config.\(field.name)\" cannot stand beside \"config.\(other)\"",
                    hint: "leave one out, or set it to null")
            }
        }
    }
}

extension TaskType.Field {
    fileprivate init(json: JSONValue) throws(BusRefusal) {
        let reader = try ObjectReader(
            json, subject: "field",
            keys: [
                "name", "type", "required", "default", "minimum", "maximum", "choices", "summary",
                "excludes",
            ] + FieldRules.memberNames)
        name = try reader.requiredString("name")
        guard let kind = try reader.choice("type", of: TaskType.Kind.self) else {
            throw BusRefusal(code: .invalid, message: "field \"\(name)\" has no type")
        }
        self.kind = kind
        isRequired = try reader.bool("required") ?? false
        minimum = try reader.bound("minimum")
        maximum = try reader.bound("maximum")
        choices = reader.value("choices")?.array?.compactMap(\.string) ?? []
        excludes = reader.value("excludes")?.array?.compactMap(\.string) ?? []
        do throws(FieldRules.WrongMember) {
            rules = try FieldRules(members: reader.members)
        } catch {
            throw BusRefusal(
                code: .invalid, message: "field \"\(name)\" has a wrong \"\(error.name)\"")
        }
    }

    fileprivate func check(_ value: JSONValue) throws(BusRefusal) {
        let isFitting: Bool
        switch kind {
        case .integer: isFitting = value.int != nil && isInRange(value)
        case .number: isFitting = value.double != nil && isInRange(value)
        case .string:
            isFitting = value.string.map { choices.isEmpty || choices.contains($0) } ?? false
        case .boolean: isFitting = value.bool != nil
        case .stringList: isFitting = value.array?.allSatisfy { $0.string != nil } ?? false
        case .stringMap: isFitting = value.object?.values.allSatisfy { $0.string != nil } ?? false
        }
        guard !isFitting else { return try checkRules(value) }
        var expected = "a value of type \(kind.rawValue)"
        if !choices.isEmpty { expected = "one of \(choices.joined(separator: ", "))" }
        if let bounds = RangeText.bounds(from: minimum, to: maximum) { expected += ", \(bounds)" }
        throw BusRefusal(code: .invalid, message: "\"config.\(name)\" must be \(expected)")
    }

    private func checkRules(_ value: JSONValue) throws(BusRefusal) {
        do throws(FieldRules.Violation) {
            try rules.check(value)
        } catch {
            throw BusRefusal(
                code: .invalid, message: "\"config.\(name)\": \(error.reason)", hint: error.hint)
        }
    }

    private func isInRange(_ value: JSONValue) -> Bool {
        guard let number = value.double else { return false }
        return number >= minimum?.double ?? -.infinity && number <= maximum?.double ?? .infinity
    }
}

extension ObjectReader {
    /// A bound of a number, as it was written.
    fileprivate func bound(_ key: String) throws(BusRefusal) -> JSONValue? {
        guard let value = value(key) else { return nil }
        guard value.double != nil else {
            throw BusRefusal(code: .invalid, message: "\"\(key)\" must be a number")
        }
        return value
    }
}
