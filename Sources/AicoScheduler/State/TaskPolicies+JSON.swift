// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire

extension TaskPolicies {
    /// Reads policies; what is not said stays as in `defaults`.
    init(json: JSONValue, defaults: TaskPolicies) throws(BusRefusal) {
        let reader = try ObjectReader(json, subject: "policies", keys: PolicyParameter.members)
        self = defaults
        for member in PolicyParameter.members {
            let parts = PolicyParameter.parts(of: member)
            guard let value = reader.value(member) else { continue }
            guard parts.isEmpty else {
                let inner = try ObjectReader(
                    value, subject: "policies.\(member)", keys: parts.map(\.key))
                try read(parts, from: inner)
                continue
            }
            try read(PolicyParameter.all.filter { $0.name == member }, from: reader)
        }
    }

    private mutating func read(
        _ parameters: [PolicyParameter], from reader: ObjectReader
    ) throws(BusRefusal) {
        for parameter in parameters {
            guard let value = reader.value(parameter.key) else { continue }
            guard parameter.set(value, in: &self) else {
                throw reader.wrong(parameter.key, parameter.expected)
            }
        }
    }

    /// Writes what differs from `defaults`, so that a change of the defaults still counts; of a
    /// group that differs all parts.
    func json(apartFrom defaults: TaskPolicies) -> JSONValue {
        var members: [String: JSONValue] = [:]
        for parameter in PolicyParameter.all where parameter.group == nil {
            let value = parameter.value(self)
            if value != parameter.value(defaults) { members[parameter.name] = value }
        }
        for group in PolicyParameter.members {
            let parts = PolicyParameter.parts(of: group)
            guard parts.contains(where: { $0.value(self) != $0.value(defaults) }) else { continue }
            members[group] = .object(
                Dictionary(uniqueKeysWithValues: parts.map { ($0.key, $0.value(self)) }))
        }
        return .object(members)
    }
}
