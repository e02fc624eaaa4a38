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

    /// What the harness has of the system's own tasks starts when a test asks for it: one that the
    /// wall clock makes due comes between what a test does.
    @Test func noTaskOfTheHarnessHasAnInstantOfItsOwn() throws {
        let run = try SchedulerRun(try InstanceRoot())
        // The list shows what is there, and they are made as the scheduler starts.
        var tasks: [JSONValue] = []
        for _ in 0..<10_000 where tasks.isEmpty {
            tasks = try #require(try run.request(.taskList)["tasks"]?.array)
        }
        #expect(!tasks.isEmpty)
        #expect(tasks.allSatisfy { $0["next_run"] == .null }, "\(tasks)")
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
        try root.describe("agency", by: 3, types: "")
        let run = try SchedulerRun(root)
        #expect(try check(run) == "aico-worker-user: does not say class user")
    }

    @Test func aWorkerThatFailsToDescribeItselfIsNoted() throws {
        let root = try InstanceRoot()
        root.describe(by: 3, .failed("--describe ended with exit code 3"))
        let run = try SchedulerRun(root)
        #expect(try check(run) == "aico-worker-user: --describe ended with exit code 3")
        #expect(try run.request(.health)["status"] != "healthy")
    }

    // MARK: - Several workers of a class

    private static let settings = """
        scheduler:
          max_cpu_percent: 100
          max_memory_percent: 100
          worker_executables: [acme-worker-user, other-worker-user]

        """

    private static func type(_ id: String) -> String {
        "{\"id\":\"user.\(id)\",\"config\":[]}"
    }

    private func owners(_ run: SchedulerRun) throws -> [String: [String]] {
        let workers = try run.request(.supervisorStatus)["workers"]?.array ?? []
        return Dictionary(
            uniqueKeysWithValues: workers.map { worker in
                (
                    worker["name"]?.string ?? "",
                    (worker["types"]?.array ?? []).compactMap(\.string)
                )
            })
    }

    @Test func aTypeBelongsToTheWorkerThatDescribesIt() throws {
        let root = try InstanceRoot(configuration: Self.settings)
        try root.describe("user", by: 4, types: Self.type("theirs"))
        try root.describe("user", by: 5, types: Self.type("others"))
        let run = try SchedulerRun(root)
        let theirs = try ScriptedWorker(
            try WorkerID.list(beside: ["acme-worker-user"])[4], root: root.path)
        try theirs.connect()
        let owners = try owners(run)
        #expect(owners["aico-worker-user"] == ["user.command"])
        #expect(owners["acme-worker-user"] == ["user.theirs"])
        #expect(owners["other-worker-user"] == ["user.others"])
        #expect(try check(run) == nil)
        _ = try run.request(
            .taskCreate, ["id": "user.one", "type": "user.theirs", "schedule": "@yearly"])
        _ = try run.request(.taskRun, ["task": "user.one"])
        #expect(try theirs.nextRun().taskType == "user.theirs")
    }

    /// Beside the shipped one, never instead of it.
    @Test func aShippedWorkersTypeStaysIts() throws {
        let root = try InstanceRoot(configuration: Self.settings)
        try root.describe("user", by: 4, types: "\(Self.good),\(Self.type("theirs"))")
        try root.describe("user", by: 5, types: "")
        let run = try SchedulerRun(root)
        let owners = try owners(run)
        #expect(owners["aico-worker-user"] == ["user.command"])
        #expect(owners["acme-worker-user"] == ["user.theirs"])
        #expect(
            try check(run)
                == "acme-worker-user: type user.command is aico-worker-user's and stays so; give "
                + "yours another id")
    }

    /// Also where it does not say which are its own: nobody takes its place meanwhile.
    @Test func nobodyTakesTheTypesOfAShippedWorkerThatIsSilent() throws {
        let root = try InstanceRoot(configuration: Self.settings)
        root.describe(by: 3, .failed("is broken"))
        try root.describe("user", by: 4, types: Self.good)
        try root.describe("user", by: 5, types: "")
        let run = try SchedulerRun(root)
        #expect(try owners(run)["acme-worker-user"] == [])
        let said = try #require(try check(run))
        #expect(said.contains("aico-worker-user: is broken"))
        #expect(said.contains("acme-worker-user: its types are left out while"))
    }

    @Test func ofTwoThatDescribeTheSameTypeNeitherHasIt() throws {
        let root = try InstanceRoot(configuration: Self.settings)
        try root.describe("user", by: 4, types: "\(Self.type("same")),\(Self.type("theirs"))")
        try root.describe("user", by: 5, types: "\(Self.type("same")),\(Self.type("others"))")
        let run = try SchedulerRun(root)
        let owners = try owners(run)
        #expect(owners["acme-worker-user"] == ["user.theirs"])
        #expect(owners["other-worker-user"] == ["user.others"])
        #expect(
            try check(run)
                == "type user.same is described by acme-worker-user and other-worker-user: none of "
                + "them has it; take it out of all but one")
        let error = #expect(throws: BusError.self) {
            try run.request(
                .taskCreate, ["id": "user.one", "type": "user.same", "schedule": "@yearly"])
        }
        #expect(error?.description == "unknown task type \"user.same\"")
    }

    @Test func aBrokenOneHarmsOnlyItself() throws {
        let root = try InstanceRoot(configuration: Self.settings)
        root.describe(by: 4, .text(Array("{".utf8)))
        try root.describe("user", by: 5, types: Self.type("others"))
        let run = try SchedulerRun(root)
        #expect(try check(run)?.hasPrefix("acme-worker-user: ") == true)
        #expect(try owners(run)["other-worker-user"] == ["user.others"])
        let user = try run.worker(.user)
        try run.createCommand()
        _ = try run.request(.taskRun, ["task": "user.one"])
        #expect(try user.nextRun().taskType == "user.command")
    }

    @Test func theCanarysIdIsNobodys() throws {
        let root = try InstanceRoot(configuration: Self.settings)
        try root.describe("user", by: 4, types: Self.type("canary"))
        try root.describe("user", by: 5, types: "")
        let run = try SchedulerRun(root)
        #expect(
            try check(run) == "acme-worker-user: the id user.canary is the class's canary's")
    }
}
