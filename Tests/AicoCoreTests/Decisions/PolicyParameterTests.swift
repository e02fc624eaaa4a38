// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Testing

/// What is derived from the table of parameters is only as true as the table.
struct PolicyParameterTests {
    /// A value of the parameter that no policies have by themselves.
    private func other(than json: JSONValue, of kind: PolicyParameter.Kind) -> JSONValue {
        switch kind {
        case .span(let range), .number(let range): .double(range.upperBound)
        case .integer(let range): .int(range.upperBound)
        case .flag: .bool(!(json.bool ?? false))
        case .word(let words): words.last { .string($0) != json }.map { .string($0) } ?? .null
        }
    }

    @Test func eachParameterSetsItsOwnFieldAndNoOther() {
        for parameter in PolicyParameter.all {
            var policies = TaskPolicies()
            let before = PolicyParameter.all.map { $0.value(policies) }
            let value = other(than: parameter.value(policies), of: parameter.kind)
            #expect(parameter.set(value, in: &policies), "\(parameter.name)")
            let after = PolicyParameter.all.map { $0.value(policies) }
            let changed = zip(PolicyParameter.all, zip(before, after))
                .filter { $0.1.0 != $0.1.1 }.map(\.0.name)
            #expect(changed == [parameter.name])
        }
    }

    @Test func everyFieldIsAParameter() {
        // Fields by reflection: what has fields of its own is a group.
        var fields = 0
        for child in Mirror(reflecting: TaskPolicies()).children {
            switch child.value {
            case let group as RetryPolicy: fields += Mirror(reflecting: group).children.count
            case let group as DSTPolicy: fields += Mirror(reflecting: group).children.count
            default: fields += 1
            }
        }
        #expect(PolicyParameter.all.count == fields)
        #expect(Set(PolicyParameter.all.map(\.name)).count == fields)
        #expect(Set(PolicyParameter.all.map(\.option)).count == fields)
    }

    @Test func whatIsOutOfRangeOrOfAnotherTypeSetsNothing() {
        for parameter in PolicyParameter.all {
            let wrong: [JSONValue] =
                switch parameter.kind {
                case .span(let range), .number(let range):
                    [.double(range.upperBound + 1), .double(range.lowerBound - 1), "1", .null]
                case .integer(let range):
                    [.int(range.upperBound + 1), .int(range.lowerBound - 1), .double(0.5), "1"]
                case .flag: ["true", 1, .null]
                case .word: ["never heard of", true, 1, .null]
                }
            for value in wrong {
                var policies = TaskPolicies()
                #expect(!parameter.set(value, in: &policies), "\(parameter.name) \(value.text())")
                #expect(policies == TaskPolicies())
            }
        }
    }
}
