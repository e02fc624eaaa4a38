// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import BusClient
import Testing

/// What the workers' `--describe` may say.
@Suite(.serialized)
struct RegistryTests {
    private static let good =
        "{\"id\":\"user.command\",\"config\":[{\"name\":\"argv\",\"type\":\"string_list\"}]}"

    private func check(_ run: SchedulerRun) throws -> String? {
        try run.request(.health)["checks"]?.array?.first { $0["name"] == "registry" }?["message"]?
            .string
    }

    @Test(arguments: [
        ("{\"id\":\"maintenance.log_cleanup\"}", "is not of class user"),
        ("{\"id\":\"security.x\"}", "is not of class user"),
        ("{\"id\":\"nonsense\"}", "nonsense"),
        ("{\"summary\":\"no id\"}", "has no id"),
        ("{\"id\":\"user.x\",\"config\":[{\"name\":\"a\",\"type\":\"path\"}]}", "must be one of"),
        ("{\"id\":\"user.x\",\"surprise\":1}", "unknown member \"surprise\""),
        (
            "{\"id\":\"user.x\",\"config\":[{\"name\":\"a\",\"type\":\"string\",\"base64\":1}]}",
            "wrong \"base64\""
        ),
        ("{", "cannot"),
    ])
    func oneBadTypeRefusesTheWholeDescription(type: String, reason: String) throws {
        let root = try InstanceRoot()
        try root.describe("user", types: "\(Self.good),\(type)")
        let run = try SchedulerRun(root)
        let problem = try #require(try check(run))
        #expect(problem.hasPrefix("aico-worker-user: "))
        #expect(problem.contains(reason))
        let error = #expect(throws: BusError.self) { try run.createCommand() }
        #expect(error?.code == .invalid)
        #expect(error?.description == "unknown task type \"user.command\"")
        // The other classes are not touched by it.
        #expect(
            try run.request(.taskStatus, ["task": "maintenance.health_check"])["task"] != nil)
    }

    private static let ruled = """
        {"id":"user.command","config":[
        {"name":"argv","type":"string_list","required":true,"minimum_count":1,
        "nonempty_first":true,"no_zero_byte":true},
        {"name":"environment","type":"string_map","variable_names":true,
        "reserved_prefix":"AICO_","no_zero_byte":true},
        {"name":"stdin","type":"string"},
        {"name":"stdin_base64","type":"string","base64":true,"excludes":["stdin"]}]}
        """

    /// What could never run is refused when it is made, by the rules that its type declares.
    @Test(
        arguments: [
            (["argv": []], "\"config.argv\": must have at least 1 element", "[\"/bin/echo\""),
            (["argv": [""]], "\"config.argv\": must begin with the name of a program", "/bin/echo"),
            (["argv": ["/bin/echo", "a\0b"]], "must not contain a zero byte", "into a file"),
            (["environment": ["BAD NAME": "1"]], "\"BAD NAME\" is no name", "BAD_NAME"),
            (["environment": ["AICO_TASK_ID": "x"]], "begins with \"AICO_\"", "MY_TASK_ID"),
            (["environment": ["A": "b\0"]], "must not contain a zero byte, as \"A\"", "file"),
            (["stdin_base64": "?"], "must be base64", "base64 -w0 FILE"),
            (
                ["stdin": "a", "stdin_base64": "YQ=="], "cannot stand beside \"config.stdin\"",
                "null"
            ),
        ] as [([String: JSONValue], String, String)])
    func aConfigThatCanNeverRunIsRefused(
        members: [String: JSONValue], message: String, hint: String
    ) throws {
        let root = try InstanceRoot()
        try root.describe("user", types: Self.ruled)
        let run = try SchedulerRun(root)
        func create(_ config: [String: JSONValue]) throws {
            _ = try run.request(
                .taskCreate,
                ["id": "user.two", "schedule": "@daily", "config": .object(config)])
        }
        let right: [String: JSONValue] = ["argv": ["/bin/true"]]
        let error = #expect(throws: BusError.self) { try create(right.merging(members) { $1 }) }
        #expect(error?.code == .invalid)
        #expect(error?.description.contains(message) == true, "\(String(describing: error))")
        #expect(error?.hint.contains(hint) == true, "\(String(describing: error))")
        try create(right.merging(["environment": ["GOOD": "1"]]) { $1 })
    }

    @Test func aWorkerThatSaysAnotherClassIsRefused() throws {
        let root = try InstanceRoot()
        try root.write(
            "#!/bin/sh\necho '{\"class\":\"agency\",\"types\":[]}'\n", to: "bin/aico-worker-user",
            mode: 0o755)
        let run = try SchedulerRun(root)
        #expect(try check(run) == "aico-worker-user: does not say class user")
    }

    @Test(arguments: [
        ("exit 3", "--describe ended with exit code 3"),
        ("yes '                                        ' | head -c 300000", "more than 262144"),
    ])
    func aWorkerThatFailsToDescribeItselfIsNoted(script: String, reason: String) throws {
        let root = try InstanceRoot()
        try root.write("#!/bin/sh\n\(script)\n", to: "bin/aico-worker-user", mode: 0o755)
        let run = try SchedulerRun(root)
        #expect(try check(run)?.contains(reason) == true)
        #expect(try run.request(.health)["status"] != "healthy")
    }
}
