// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import TaskKit
import Testing

@testable import UserTasks

struct CommandConfigTests {
    struct Refusal: Sendable, CustomTestStringConvertible {
        let config: JSONValue
        let message: String
        var testDescription: String { message }
    }

    @Test func defaultsAreMinimal() throws {
        let config = try CommandConfig.read(["argv": ["true"]])
        #expect(config.argv == ["true"] && config.environment.isEmpty && config.input == nil)
        #expect(config.workingDirectory == "/aico/work")
    }

    @Test(arguments: [
        Refusal(config: [:], message: "cannot use \"argv\": missing; must be a list of texts"),
        Refusal(config: ["argv": []], message: "cannot use \"argv\": must name a program"),
        Refusal(config: ["argv": [""]], message: "cannot use \"argv\": must name a program"),
        Refusal(
            config: ["argv": ["a\0b"]],
            message: "cannot use \"argv\": must not contain a zero byte"),
        Refusal(
            config: ["argv": .array(Array(repeating: "x", count: 1025))],
            message: "cannot use \"argv\": has 1025 words, limit 1024"),
        Refusal(
            config: ["argv": ["a"], "working_directory": "here"],
            message: "cannot use \"working_directory\": must be an absolute path, as /aico/work"),
        Refusal(
            config: ["argv": ["a"], "environment": ["A=B": "c"]],
            message: "cannot use \"environment\": names must be without '=', "
                + "and no text may contain a zero byte"),
        Refusal(
            config: ["argv": ["a"], "environment": ["AICO_ATTEMPT": "9"]],
            message: "cannot use \"environment\": \"AICO_ATTEMPT\" is set by the task supervisor"),
        Refusal(
            config: ["argv": ["a"], "stdni": "x"],
            message: "cannot use \"stdni\": unknown field; did you mean \"stdin\"?"),
    ])
    func wrongConfigIsRefused(_ refusal: Refusal) {
        let error = #expect(throws: ConfigError.self) { try CommandConfig.read(refusal.config) }
        #expect(error?.description == refusal.message)
    }
}
