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

    @Test func bytesComeAsBase64() throws {
        let config = try CommandConfig.read(["argv": ["cat"], "stdin_base64": "AP8K"])
        #expect(config.input == [0, 255, 10])
        #expect(try CommandConfig.read(["argv": ["cat"], "stdin": "é"]).input == [0xC3, 0xA9])
    }

    @Test(arguments: [
        Refusal(config: [:], message: "\"argv\": missing; must be a list of texts"),
        Refusal(
            config: ["argv": []],
            message: "\"argv\": must have at least 1 element; name a program and its arguments, "
                + "as [\"/bin/echo\", \"hello\"]"),
        Refusal(
            config: ["argv": [""]],
            message: "\"argv\": must begin with the name of a program, which is empty; "
                + "write as [\"/bin/echo\", \"hello\"]"),
        Refusal(
            config: ["argv": ["a\0b"]],
            message: "\"argv\": must not contain a zero byte; "
                + "write such bytes into a file and name that"),
        Refusal(
            config: ["argv": .array(Array(repeating: "x", count: 1025))],
            message: "\"argv\": has 1025 elements, the limit is 1024; "
                + "write the rest into a file and name that"),
        Refusal(
            config: ["argv": ["a"], "working_directory": "here"],
            message: "\"working_directory\": must be an absolute path; "
                + "write the path from the root on, as /aico/work/here"),
        Refusal(
            config: ["argv": ["a"], "environment": ["1 BAD=": "c"]],
            message: "\"environment\": \"1 BAD=\" is no name of an environment variable; use "
                + "letters of ASCII, digits and \"_\", a digit not as the first: _1_BAD_"),
        Refusal(
            config: ["argv": ["a"], "environment": ["A": "b\0"]],
            message: "\"environment\": must not contain a zero byte, as \"A\" does; "
                + "write such bytes into a file and name that"),
        Refusal(
            config: ["argv": ["a"], "environment": ["AICO_ATTEMPT": "9"]],
            message: "\"environment\": \"AICO_ATTEMPT\" begins with \"AICO_\", which the task "
                + "supervisor keeps for its own variables; use another name, as MY_ATTEMPT"),
        Refusal(
            config: ["argv": ["a"], "stdin_base64": "A"],
            message: "\"stdin_base64\": must be base64 with padding; "
                + "encode it with: base64 -w0 FILE"),
        Refusal(
            config: ["argv": ["a"], "stdin": "a", "stdin_base64": "YQ=="],
            message: "\"stdin_base64\": cannot stand beside \"stdin\"; leave one out"),
        Refusal(
            config: ["argv": ["a"], "stdni": "x"],
            message: "\"stdni\": unknown field; did you mean \"stdin\"?"),
    ])
    func wrongConfigIsRefused(_ refusal: Refusal) {
        let error = #expect(throws: ConfigError.self) { try CommandConfig.read(refusal.config) }
        #expect(error?.description == "cannot use \(refusal.message)")
    }
}
