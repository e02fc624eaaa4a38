// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Testing

struct FieldRulesTests {
    private static func all() -> FieldRules {
        var rules = FieldRules()
        rules.minimumCount = 1
        rules.maximumCount = 7
        rules.reservedPrefix = "AICO_"
        rules.isFirstNonempty = true
        rules.isWithoutZero = true
        rules.hasVariableNames = true
        rules.isAbsolutePath = true
        rules.isBase64 = true
        return rules
    }

    @Test func rulesComeBackFromTheirDescription() throws {
        #expect(try FieldRules(members: Self.all().members) == Self.all())
        #expect(FieldRules.none.members.isEmpty)
        #expect(try FieldRules(members: ["name": "x"]) == .none)
        #expect(Set(Self.all().members.keys) == Set(FieldRules.memberNames))
    }

    @Test(arguments: FieldRules.memberNames) func memberOfAnotherKindIsNamed(name: String) {
        let error = #expect(throws: FieldRules.WrongMember.self) {
            try FieldRules(members: [name: []])
        }
        #expect(error?.name == name)
    }

    @Test(arguments: ["_", "PATH", "a1", "_9"]) func namesOfVariablesPass(name: String) throws {
        var rules = FieldRules()
        rules.hasVariableNames = true
        try rules.check(.object([name: "x"]))
    }

    @Test(arguments: ["", "1", "A B", "A=B", "A-B", "é", "A\0", "A\n"])
    func otherNamesDoNot(name: String) {
        var rules = FieldRules()
        rules.hasVariableNames = true
        let violation = #expect(throws: FieldRules.Violation.self) {
            try rules.check(.object([name: "x"]))
        }
        #expect(violation?.reason.hasSuffix("is no name of an environment variable") == true)
        // No control character of a config gets into a message.
        #expect(violation?.reason.contains { $0 == "\0" || $0 == "\n" } == false)
    }
}
