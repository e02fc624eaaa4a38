// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import BusClient
import Testing

/// Requests that are refused, with code, reason and hint.
@Suite(.serialized)
struct RefusalTests {
    private let run: SchedulerRun

    init() throws { run = try SchedulerRun(try InstanceRoot()) }

    struct Refusal: Sendable, CustomTestStringConvertible {
        let topic: BusTopic
        let body: JSONValue
        let code: BusErrorCode
        let message: String
        var hint = ""
        var testDescription: String { "\(topic): \(message)" }

        init(
            _ topic: BusTopic, _ body: JSONValue, _ code: BusErrorCode, _ message: String,
            hint: String = ""
        ) {
            self.topic = topic
            self.body = body
            self.code = code
            self.message = message
            self.hint = hint
        }

        /// A request to create a task with members put over right ones.
        static func create(
            _ members: [String: JSONValue], _ message: String, hint: String = "",
            code: BusErrorCode = .invalid
        ) -> Refusal {
            let right: [String: JSONValue] = [
                "id": "user.two", "schedule": "@daily", "config": ["argv": ["/bin/true"]],
            ]
            return Refusal(
                .taskCreate, .object(right.merging(members) { $1 }), code, message, hint: hint)
        }
    }

    private static let unknownTasks: [Refusal] = [
        BusTopic.taskUpdate, .taskDelete, .taskEnable, .taskDisable, .taskRun, .taskCancel,
        .taskStatus, .taskHistory, .taskLogs, .taskNext, .stats,
    ].map {
        Refusal(
            $0, ["task": "user.onn"], .notFound, "there is no task \"user.onn\"",
            hint: "did you mean user.one?")
    }

    private static let creations: [Refusal] = [
        .create(["id": "user.one"], "there is a task \"user.one\" already", code: .conflict),
        .create(["id": nil], "\"id\" is missing"),
        .create(["id": "USER.x"], "cannot use \"USER.x\" as an id"),
        .create(["schedule": nil], "\"schedule\" is missing"),
        .create(
            ["schedule": "61 * * * *"], "cannot read minute \"61\": the largest is 59",
            hint: "write"),
        .create(
            ["schedule": "at:2020-01-01T00:00:00Z"],
            "2020-01-01T00:00:00Z has passed: the task would never run",
            hint: "give a later time"),
        .create(
            ["schedule": "0 0 30 2 *"], "\"0 0 30 2 *\" never fires: no such day comes",
            hint: "write one that comes"),
        .create(["timezone": "Europe/Berln"], "cannot use time zone", hint: "Europe/Berlin"),
        .create(["type": "user.comand"], "unknown task type", hint: "did you mean user.command?"),
        .create(
            ["id": "agency.two"], "type user.command is of class user", hint: "begin the id"),
        .create(
            ["type": "maintenance.health_check"], "is of class maintenance",
            hint: "begin the id with maintenance"),
        .create(["config": [:]], "\"config.argv\" is missing", hint: "needs it"),
        .create(
            ["config": ["argv": ["/bin/true"], "lmit": 1]], "unknown member \"lmit\"",
            hint: "did you mean \"limit\"?"),
        .create(
            ["config": ["argv": "text"]], "\"config.argv\" must be a value of type string_list"),
        .create(
            ["config": ["argv": [], "limit": 10]],
            "\"config.limit\" must be a value of type integer"),
        .create(["config": []], "\"config\" must be an object"),
        .create(
            ["policies": ["overlap": "never"]], "\"policies.overlap\" must be one of skip"),
        .create(["policies": ["timeout": 0]], "\"policies.timeout\" must be seconds from"),
        .create(
            ["policies": ["retry": ["count": -1]]], "\"policies.retry.count\" must be an integer"),
        .create(["policies": ["timeot": 5]], "unknown member \"timeot\"", hint: "\"timeout\""),
        .create(
            ["policies": ["retry": ["delay": 7200]]],
            "\"policies.retry.delay\" of 7200 s is more than \"policies.retry.max_delay\", 3600 s",
            hint: "use --retry-delay 3600, or --retry-max-delay 7200 as well"),
        .create(["surprise": 1], "unknown member \"surprise\""),
        .create(["enabled": 1], "\"enabled\" must be true or false"),
    ]

    private static let others: [Refusal] = [
        Refusal(.taskUpdate, ["task": "user.one", "schedule": "x"], .invalid, "cannot read"),
        Refusal(
            .taskUpdate, ["task": "user.one", "schedule": "at:2020-01-01T00:00:00Z"], .invalid,
            "2020-01-01T00:00:00Z has passed: the task would never run",
            hint: "give a later time"),
        Refusal(
            .taskUpdate, ["task": "user.one", "schedule": "0 0 30 2 *"], .invalid,
            "\"0 0 30 2 *\" never fires: no such day comes", hint: "write one that comes"),
        Refusal(
            .taskUpdate, ["task": "user.one", "config": ["limit": 0]], .invalid, "config.limit"),
        Refusal(
            .taskDelete, ["task": "maintenance.health_check"], .conflict,
            "is a task of the system itself", hint: "disable"),
        Refusal(.taskRun, [:], .invalid, "\"task\" is missing"),
        Refusal(.taskRun, ["task": 7], .invalid, "\"task\" must be a string"),
        Refusal(.taskList, ["class": "usr"], .invalid, "unknown class", hint: "user"),
        Refusal(.taskHistory, ["limit": 0], .invalid, "\"limit\" must be an integer from 1"),
        Refusal(.taskHistory, ["outcome": "ok"], .invalid, "\"outcome\" must be one of"),
        Refusal(.taskStatus, ["execution": "x"], .notFound, "there is no execution \"x\""),
        Refusal(.taskLogs, ["execution": "x"], .notFound, "there is no execution \"x\""),
        Refusal(.deadLetterRetry, ["id": 7], .notFound, "no such dead letter", hint: "dlq list"),
        Refusal(.deadLetterPurge, ["id": 7], .notFound, "no such dead letter"),
        Refusal(.stats, ["since": "now"], .invalid, "\"since\" must be an instant"),
        Refusal(.supervisorDrain, [:], .unknownTopic, "not served yet"),
    ]

    @Test(arguments: unknownTasks + creations + others)
    func aRefusalSaysWhatIsWrong(refusal: Refusal) throws {
        try run.createCommand()
        let error = #expect(throws: BusError.self) {
            try run.request(refusal.topic, refusal.body)
        }
        #expect(error?.code == refusal.code)
        #expect(error?.description.contains(refusal.message) == true)
        #expect(error?.hint.contains(refusal.hint) == true || refusal.hint.isEmpty)
        // Nothing came of it.
        let tasks = try run.request(.taskList)["tasks"]?.array
        #expect(tasks?.map { $0["id"] } == ["maintenance.health_check", "user.one"])
        #expect(tasks?.last?["schedule"] == "at:2099-01-01T00:00:00Z")
    }

    /// What the worker's profile permits at most is known once it said so.
    @Test func aTimeoutThatTheProfileWouldCutIsRefused() throws {
        let worker = try run.worker(.user, wallLimit: .seconds(120))
        let refusal = BusError.refused(
            code: BusErrorCode.invalid.rawValue,
            message: "a timeout of 121 s is more than the profile of class user permits: 120 s",
            hint: "use --timeout 120, or raise limits.wall_seconds in user.yaml")
        #expect(throws: refusal) { try run.createCommand(policies: ["timeout": 121]) }
        let task = try run.createCommand(policies: ["timeout": 120])["task"]
        #expect(task?["timeout"] == 120)
        #expect(throws: refusal) {
            try run.request(.taskUpdate, ["task": "user.one", "policies": ["timeout": 121]])
        }
        // The type's own, which nobody asked for, is cut and shown as it is.
        let other = try run.createCommand("user.two")["task"]
        #expect(other?["timeout"] == 120)
        _ = try run.request(.taskRun, ["task": "user.two"])
        #expect(try worker.nextRun().timeout == .seconds(120))
    }

    /// It was asked for before the profile said less: what else is changed has nothing to do with it.
    @Test func aTimeoutThatIsCutSinceHindersNoOtherChange() throws {
        try run.createCommand(policies: ["timeout": 500])
        _ = try run.worker(.user, wallLimit: .seconds(120))
        let changed = try run.request(
            .taskUpdate, ["task": "user.one", "policies": ["priority": 3]])["task"]
        #expect(changed?["timeout"] == 120 && changed?["policies"]?["timeout"] == 500)
        #expect(throws: BusError.self) {
            try run.request(.taskUpdate, ["task": "user.one", "policies": ["timeout": 501]])
        }
    }
}
