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

    @Test func aWorkerThatSaysAnotherClassIsRefused() throws {
        let root = try InstanceRoot()
        try root.write(
            "#!/bin/sh\necho '{\"class\":\"agency\",\"types\":[]}'\n", to: "bin/aico-worker-user",
            mode: 0o755)
        let run = try SchedulerRun(root)
        #expect(try check(run) == "aico-worker-user: does not say class user")
    }

    @Test(arguments: [
        ("exit 3", "--describe ended with wait status 768"),
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
